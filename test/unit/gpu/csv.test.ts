import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Field, fieldsOf, parseGpus } from '../../../src/gpu/csv.ts';
import { anyCharacter } from '../../support/any-character.ts';

const FIELDS: readonly Field[] = [
  'index',
  'uuid',
  'name',
  'pci.bus_id',
  'driver_version',
  'memory.total',
  'power.draw',
];
const ROW = '0, GPU-1, Tesla T4, 00000000:01:00.0, 535.1, 15360, 12.5';

describe('the queried fields', () => {
  test('are those that the driver knows, by any of their names', () => {
    const help = [
      'List of valid properties to query for the switch "--query-gpu":',
      '',
      '"memory.total"',
      'Total installed memory; see "memory.used" too.',
      '"power.limit" or "power.cap" or "enforced"',
      '"x.y" or "temperature.gpu"',
    ].join('\n');
    expect(fieldsOf(help)).toEqual([
      'index',
      'uuid',
      'name',
      'pci.bus_id',
      'driver_version',
      'memory.total',
      'temperature.gpu',
      'power.limit',
    ]);
  });

  test('are those that every driver knows if its help is unreadable', () => {
    expect(fieldsOf('')).toContain('power.limit');
    expect(fieldsOf('')).not.toContain('mig.mode.current');
  });
});

describe('the CSV of GPUs', () => {
  test('is read with blank lines and CRLF line ends', () => {
    expect(parseGpus(`\r\n${ROW}\r\n\r\n`, FIELDS, false)).toEqual([
      {
        uuid: 'GPU-1',
        index: 0,
        model: 'Tesla T4',
        busId: '00000000:01:00.0',
        driver: '535.1',
        memoryTotalMiB: 15360,
        memoryUsedMiB: undefined,
        utilizationPercent: undefined,
        temperatureC: undefined,
        powerDrawW: 12.5,
        powerLimitW: undefined,
        migMode: false,
        fault: undefined,
      },
    ]);
  });

  test.each([
    ['15360 MiB', 15360],
    ['15360', 15360],
    ['-1', -1],
    ['[N/A]', undefined],
    ['N/A', undefined],
    ['', undefined],
    ['[Not Supported]', undefined],
    ['[Insufficient Permissions]', undefined],
    ['[Requested functionality has been deprecated]', undefined],
    ['[Function Not Found]', undefined],
    ['15,360', 'refused'],
    ['1e5', undefined],
    ['0x10', undefined],
  ])('with a memory cell of %j has the memory %j', (cell, value) => {
    const row = ROW.replace('15360', cell);
    const read = (): unknown => {
      try {
        const [gpu] = parseGpus(row, FIELDS, false);
        return gpu?.fault ?? gpu?.memoryTotalMiB;
      } catch {
        return 'refused';
      }
    };
    expect(read()).toBe(value);
  });

  test.each([
    ['15360', '[GPU requires reset]', 'GPU requires reset'],
    ['15360', '[GPU is lost]', 'GPU is lost'],
    ['12.5', '[GPU requires reset]', 'GPU requires reset'],
    ['15360', '[Unknown Error]', 'memory.total'],
    ['GPU-1', '[Unknown Error]', 'uuid'],
    ['GPU-1', '', 'uuid'],
  ])('with %s replaced by %j has a fault that names %s', (cell, odd, fault) => {
    expect(parseGpus(ROW.replace(cell, odd), FIELDS, false)[0]?.fault).toContain(fault);
  });

  test('has no fault for a power sensor with an unknown error', () => {
    expect(parseGpus(ROW.replace('12.5', '[Unknown Error]'), FIELDS, false)[0]?.fault).toBeUndefined();
  });

  test.each([
    ['a column too few', ROW.slice(0, ROW.lastIndexOf(','))],
    ['a column too many', `${ROW}, 5`],
    ['a name with a comma', ROW.replace('Tesla T4', 'Tesla, T4')],
    ['a line of text', `Unable to determine the device handle\n${ROW}`],
    ['a duplicate uuid', `${ROW}\n${ROW}`],
  ])('is refused with %s', (_, csv) => {
    expect(() => parseGpus(csv, FIELDS, false)).toThrow(
      expect.objectContaining({ code: 'GPU_PROBE_FAILED' }),
    );
  });

  test('is read without other lines if nvidia-smi warned', () => {
    const csv = `${ROW}\nWARNING: infoROM is corrupted at gpu 0000:02:00.0\n`;
    expect(parseGpus(csv, FIELDS, true)).toHaveLength(1);
  });

  test('is read or refused with an AgentError for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), fc.boolean(), (text, skip) => {
        expect(refusalOf(() => parseGpus(text, FIELDS, skip))).toMatch(/^(?:none|AgentError)$/);
      }),
    );
  });
});

function refusalOf(read: () => unknown): string {
  try {
    read();
    return 'none';
  } catch (thrown) {
    return thrown instanceof Error ? thrown.name : 'something else';
  }
}
