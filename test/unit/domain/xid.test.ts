import { describe, expect, test } from 'vitest';
import { hostFaultOf, sameBus } from '../../../src/domain/xid.ts';

const xid = (number: number, text = '') => ({ busId: '0000:65:00', number, text });

describe('Xid', () => {
  test.each([46, 48, 62, 64, 74, 79, 94, 95, 119, 120, 140, 154])('%d is a host failure', (number) => {
    expect(hostFaultOf(xid(number))).toContain(`Xid ${number}`);
  });

  test.each([13, 31, 32, 43, 45, 63, 68, 69, 92, 109, 155, 999])('%d is not a host failure', (number) => {
    expect(hostFaultOf(xid(number))).toBeUndefined();
  });

  test.each([
    ['GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)', true],
    ['GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)', true],
    ['GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)', false],
  ])('154 depends on the new action: %s', (text, fault) => {
    expect(hostFaultOf(xid(154, text)) !== undefined).toBe(fault);
  });
});

describe('compares PCI addresses', () => {
  test.each([
    ['00000000:65:00.0', '0000:65:00', true],
    ['00000000:AF:00.0', '0000:af:00', true],
    ['00000008:01:00.0', '0008:01:00', true],
    ['00000000:65:00.0', '0000:66:00', false],
    ['00000001:65:00.0', '0000:65:00', false],
    ['', '', false],
    ['[N/A]', '[N/A]', false],
  ])('%j and %j: %j', (one, other, same) => {
    expect(sameBus(one, other)).toBe(same);
    expect(sameBus(other, one)).toBe(same);
  });
});
