import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { verdictOn } from '../../../src/domain/xid.ts';
import { xidIn } from '../../../src/host/xid-lines.ts';

/* Hand-written lines in the formats of several driver generations. */

describe('a line of the kernel’s log', () => {
  test.each([
    [
      'NVRM: Xid (PCI:0000:65:00): 79, pid=1234, name=python3, GPU has fallen off the bus.',
      { busId: '0000:65:00', number: 79, text: 'pid=1234, name=python3, GPU has fallen off the bus.' },
    ],
    [
      'NVRM: Xid (PCI:0000:65:00): 79, GPU has fallen off the bus.',
      { busId: '0000:65:00', number: 79, text: 'GPU has fallen off the bus.' },
    ],
    [
      'NVRM: Xid (PCI:0000:0b:00): 45, pid=4711, Ch 00000010',
      { busId: '0000:0b:00', number: 45, text: 'pid=4711, Ch 00000010' },
    ],
    [
      "NVRM: Xid (PCI:0000:C1:00): 13, pid='<unknown>', name=<unknown>, Graphics Exception",
      {
        busId: '0000:C1:00',
        number: 13,
        text: "pid='<unknown>', name=<unknown>, Graphics Exception",
      },
    ],
    [
      'NVRM: Xid (PCI:0000:17:00 GPU-I:05): 94, pid=71, Contained: CE User Channel (0x9).',
      { busId: '0000:17:00', number: 94, text: 'pid=71, Contained: CE User Channel (0x9).' },
    ],
    ['NVRM: Xid (0000:03:00): 31, Ch 0000000b', { busId: '0000:03:00', number: 31, text: 'Ch 0000000b' }],
    [
      'NVRM: Xid (PCI:0008:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)',
      {
        busId: '0008:01:00',
        number: 154,
        text: 'GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)',
      },
    ],
    ['NVRM: Xid (PCI:0000:65:00): 46', { busId: '0000:65:00', number: 46, text: '' }],
  ])('with an Xid: %s', (line, xid) => {
    expect(xidIn(line)).toEqual(xid);
  });

  test.each([
    '',
    'NVRM: GPU at PCI:0000:65:00: GPU-455d8f70-2051-db6c-0430-ffc457bff834',
    'NVRM: GPU 0000:65:00.0: GPU is initialised.',
    'NVRM: loading NVIDIA UNIX x86_64 Kernel Module 580.65.06',
    'NVRM: rm_init_adapter failed for device bearing minor number 0',
    'nvidia-nvswitch3: open (major=510)',
    'NVRM: GPU at PCI:0000:65:00: GPU-1 name=has fallen',
    'NVRM: Xid (79): GPU has fallen off the bus.',
    'audit: comm="NVRM: Xid (PCI:0000:65:00): 79"',
  ])('without an Xid: %s', (line) => {
    expect(xidIn(line)).toBeUndefined();
  });

  test.each([
    ['NVRM: GPU 0000:65:00.0: GPU has fallen off the bus.', '0000:65:00.0'],
    ['NVRM: GPU at PCI:0000:65:00 has fallen off the bus.', '0000:65:00'],
    ['NVRM: GPU at PCI:0000:65:00: GPU has fallen off the bus', '0000:65:00'],
    ['NVRM: GPU at 00000000:65:00.0 has fallen off the bus.', '00000000:65:00.0'],
    ['NVRM: Xid (PCI:0000:65:00): GPU has fallen off the bus.', '0000:65:00'],
    [
      'NVRM: The NVIDIA GPU 0000:65:00.0 (PCI ID: 10de:1eb8) has fallen off the bus and is not responding',
      '0000:65:00.0',
    ],
    ['NVRM: GPU 0000:65:00.0: RmInitAdapter failed! (0x62:0xffff:2351)', '0000:65:00.0'],
    ['NVRM: GPU 10000:01:00.0: rm_init_adapter failed, device minor number 0', '10000:01:00.0'],
  ])('without an Xid about a lost GPU: %s', (line, busId) => {
    const xid = xidIn(line);
    expect(xid).toMatchObject({ busId, number: undefined });
    expect(xid && verdictOn(xid).hostFault).toBe(true);
  });

  test.each([
    ['nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up', 20034],
    [
      'nvidia-nvswitch0: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error',
      12028,
    ],
  ])('with an SXid of an NVSwitch: %s', (line, number) => {
    expect(xidIn(line)).toMatchObject({ number, nvswitch: true });
  });

  test('cannot get another Xid through the name of a process', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const xid = xidIn(`NVRM: Xid (PCI:0000:65:00): 13, pid=1, name=${name.replaceAll('\n', ' ')}, Ch 1`);
        expect(xid).toMatchObject({ busId: '0000:65:00', number: 13 });
        expect(xid && verdictOn(xid).hostFault).toBe(false);
      }),
    );
  });
});
