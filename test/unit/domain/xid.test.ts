import { describe, expect, test } from 'vitest';
import { sameBus, verdictOn } from '../../../src/domain/xid.ts';
import { UNUSED_XIDS, XID_CATALOGUE } from '../../../src/domain/xid-catalogue.ts';

const xid = (number: number, text = '') => ({ busId: '0000:65:00', number, text });

describe('Xid', () => {
  test.each([
    46, 48, 54, 62, 64, 74, 79, 94, 95, 110, 119, 120, 136, 140, 143, 144, 145, 146, 149, 150, 151, 154, 158,
    167, 169, 171, 172,
  ])('%d is a host failure', (number) => {
    expect(verdictOn(xid(number))).toMatchObject({ hostFault: true, known: true });
    expect(verdictOn(xid(number)).why).toContain(`Xid ${number}: `);
  });

  test.each([
    8, 13, 31, 32, 43, 45, 63, 68, 69, 92, 105, 109, 126, 137, 147, 148, 155, 156, 157, 159, 160, 161, 162,
    168,
  ])('%d is known and no host failure', (number) => {
    expect(verdictOn(xid(number))).toMatchObject({ hostFault: false, known: true });
  });

  test.each([173, 999, 1])('%d is unknown, which cordons nothing', (number) => {
    expect(verdictOn(xid(number))).toMatchObject({ hostFault: false, known: false });
  });

  test('has an entry for each number up to 172 that drivers use', () => {
    const numbers = Array.from({ length: 172 }, (_, at) => at + 1);
    expect(numbers.filter((number) => XID_CATALOGUE.has(number) === UNUSED_XIDS.has(number))).toEqual([]);
  });

  test.each([
    [145, 'RLW_REMAP Nonfatal XC0 i0 Link 09 (0x00004082 0x00000004)', false],
    [145, 'RLW_SRC_TRACK Fatal XC0 i0 Link 09 (0x00007082 0x00000010)', true],
    [149, 'NETIR_LINK_EVT Fatal XC0 i0 Link 05', true],
    [149, 'NETIR_BER_EVENT Nonfatal XC0 i0 Link 05', false],
    [150, 'MSE_WATCHDOG Fatal', true],
    [74, 'NVLink: fatal error detected on link 0(0x10000, nonfatal)', true],
  ])('%d depends on the severity of the link error: %s', (number, text, hostFault) => {
    expect(verdictOn(xid(number, text)).hostFault).toBe(hostFault);
  });

  test.each([
    ['GPU has fallen off the bus.', /off the bus/],
    ['RmInitAdapter failed! (0x62:0xffff:2351)', /initialise/],
  ])('that has no number is a host failure: %s', (text, why) => {
    const verdict = verdictOn({ busId: '0000:65:00', number: undefined, text });
    expect(verdict.hostFault).toBe(true);
    expect(verdict.why).toMatch(why);
  });

  test('of an NVSwitch is no GPU’s fault', () => {
    const sxid = { busId: '0000:c1:00.0', number: 20034, nvswitch: true as const };
    expect(verdictOn({ ...sxid, text: 'Fatal, Link 30' })).toMatchObject({ hostFault: false, known: true });
    expect(verdictOn({ ...sxid, text: 'Fatal, Link 30' }).hint).toMatch(/reset/);
    expect(verdictOn({ ...sxid, text: 'Non-fatal, Link 30' }).hint).not.toMatch(/reset/);
  });

  test.each([
    ['GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)', true],
    ['GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)', true],
    ['GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)', false],
  ])('154 depends on the new action: %s', (text, fault) => {
    expect(verdictOn(xid(154, text)).hostFault).toBe(fault);
  });
});

describe('compares PCI addresses', () => {
  test.each([
    ['00000000:65:00.0', '0000:65:00', true],
    ['00000000:AF:00.0', '0000:af:00', true],
    ['00000008:01:00.0', '0008:01:00', true],
    ['00000000:65:00.0', '0000:66:00', false],
    ['00000001:65:00.0', '0000:65:00', false],
    ['00010000:01:00.0', '10000:01:00', true],
    ['0000000F:01:00.0', '000f:01:00', true],
    ['00000000:03:00.0', '03:00', true],
    ['', '', false],
    ['[N/A]', '[N/A]', false],
  ])('%j and %j: %j', (one, other, same) => {
    expect(sameBus(one, other)).toBe(same);
    expect(sameBus(other, one)).toBe(same);
  });
});
