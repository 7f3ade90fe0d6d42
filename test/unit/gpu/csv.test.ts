import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Field, fieldsOf, parseGpus } from '../../../src/gpu/csv.ts';

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

describe('fieldsOf', () => {
  test('takes what the driver has, by any of its names', () => {
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

  test('asks for what every driver has where there is no help', () => {
    expect(fieldsOf('')).toContain('power.limit');
    expect(fieldsOf('')).not.toContain('mig.mode.current');
  });
});

describe('parseGpus', () => {
  test('reads a row, with blank lines and the line ends of Windows', () => {
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
  ])('a cell of %j is %j', (cell, value) => {
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
    ['15360', '[GPU requires reset]', 'it says “GPU requires reset”'],
    ['15360', '[GPU is lost]', 'it says “GPU is lost”'],
    ['12.5', '[GPU requires reset]', 'it says “GPU requires reset”'],
    ['15360', '[Unknown Error]', 'its memory.total cannot be read: unknown error'],
    ['12.5', '[Unknown Error]', undefined],
    ['GPU-1', '[Unknown Error]', 'its uuid cannot be read'],
    ['GPU-1', '', 'its uuid cannot be read'],
  ])('%s -> %s is the fault %s', (cell, odd, fault) => {
    expect(parseGpus(ROW.replace(cell, odd), FIELDS, false)[0]?.fault).toBe(fault);
  });

  test.each([
    ['a column too few', ROW.slice(0, ROW.lastIndexOf(','))],
    ['a column too many', `${ROW}, 5`],
    ['a name with a comma', ROW.replace('Tesla T4', 'Tesla, T4')],
    ['a line of words', `Unable to determine the device handle\n${ROW}`],
    ['a uuid that comes twice', `${ROW}\n${ROW}`],
  ])('refuses an answer with %s', (_, csv) => {
    expect(() => parseGpus(csv, FIELDS, false)).toThrow(/cannot be used/);
  });

  test('leaves lines that are no rows out where nvidia-smi complained', () => {
    const csv = `${ROW}\nWARNING: infoROM is corrupted at gpu 0000:02:00.0\n`;
    expect(parseGpus(csv, FIELDS, true)).toHaveLength(1);
  });

  test('any text is either read, with one GPU per row, or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, skip) => {
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
