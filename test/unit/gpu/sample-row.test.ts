import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnsOf, sampleIn } from '../../../src/gpu/sample-row.ts';
import { anyCharacter } from '../../support/any-character.ts';

const UUID = 'GPU-11111111-aaaa-4bbb-8ccc-111111111111';

const helpOf = (fields: readonly string[]): string =>
  fields.map((field) => `${field}\nWhat it is.\n`).join('\n');

const NEWEST = columnsOf(
  helpOf([
    '"uuid" or "gpu_uuid"',
    '"display_active"',
    '"pstate"',
    '"clocks_event_reasons.active" or "clocks_throttle_reasons.active"',
    '"utilization.gpu"',
    '"memory.total"',
    '"memory.used"',
    '"memory.free"',
    '"temperature.gpu"',
    '"fan.speed"',
    '"power.draw"',
    '"power.draw.average" or "gpu.power.draw.average"',
    '"power.draw.instant" or "gpu.power.draw.instant"',
    '"power.limit"',
    '"clocks.current.sm" or "clocks.sm"',
  ]),
);

/** A row of the newest driver with other cells. */
function row(cells: Readonly<Record<string, string>> = {}): string {
  const usual: Readonly<Record<string, string>> = {
    display_active: 'Enabled',
    pstate: 'P2',
    'clocks_event_reasons.active': '0x0000000000000024',
    'utilization.gpu': '37',
    'memory.used': '1120',
    'memory.free': '14800',
    'memory.total': '16376',
    'temperature.gpu': '71',
    'fan.speed': '44',
    'power.draw.average': '96.31',
    'power.draw.instant': '101.00',
    'power.draw': '99.00',
    'power.limit': '320.00',
    'clocks.current.sm': '2505',
    uuid: UUID,
  };
  return NEWEST.map(({ field }) => cells[field] ?? usual[field]).join(', ');
}

describe('the columns of a sample', () => {
  test('are the names that the driver knows, the newest first and the uuid last', () => {
    const names = NEWEST.map(({ field }) => field);
    expect(names).toHaveLength(15);
    expect(names).toContain('clocks_event_reasons.active');
    expect(names.at(-1)).toBe('uuid');
  });

  test('of an old driver are those that it knows by older names', () => {
    const old = ['"uuid"', '"clocks_throttle_reasons.active"', '"clocks.sm"', '"power.draw"', '"pstate"'];
    expect(columnsOf(helpOf(old)).map(({ field }) => field)).toEqual([
      'pstate',
      'clocks_throttle_reasons.active',
      'power.draw',
      'clocks.sm',
      'uuid',
    ]);
  });

  test('of a driver that lists none are those that all know', () => {
    expect(columnsOf('').map(({ key }) => key)).toEqual([
      'utilization',
      'memoryUsed',
      'memoryTotal',
      'temperature',
      'power',
      'powerLimit',
      'uuid',
    ]);
  });
});

describe('a row', () => {
  test('is a sample with all its figures', () => {
    expect(sampleIn(row(), NEWEST, 7)).toEqual({
      uuid: UUID,
      at: 7,
      utilizationPercent: 37,
      memoryUsedMiB: 1120,
      memoryFreeMiB: 14800,
      memoryTotalMiB: 16376,
      temperatureC: 71,
      fanPercent: 44,
      powerW: 96.31,
      powerLimitW: 320,
      smClockMHz: 2505,
      throttle: ['power_cap', 'sw_thermal'],
      pstate: 'P2',
      displayActive: true,
      asleep: false,
    });
  });

  test.each([
    '[N/A]',
    'N/A',
    '',
    '[Not Supported]',
    '[Unknown Error]',
    'ERR!',
    'NaN',
    'nan',
    'inf',
    '-1',
    '-0.5',
    '1e5',
    '0b10',
    '4294967295',
    '429496729.5',
    '18446744073709551615',
    '[GPU is lost]',
    '[Insufficient Permissions]',
    '[Requested functionality has been deprecated]',
    '[Function Not Found]',
    'yes',
    '٣',
  ])('has no figure in a cell %s', (cell) => {
    const cells = Object.fromEntries(NEWEST.map(({ field }) => [field, cell]));
    const sample = sampleIn(row({ ...cells, uuid: UUID }), NEWEST, 7);
    expect(sample).toEqual({ uuid: UUID, at: 7, throttle: [], asleep: false });
  });

  test.each<readonly [Readonly<Record<string, string>>, number | undefined]>([
    [{ 'power.draw.average': '[N/A]' }, 101],
    [{ 'power.draw.average': '[N/A]', 'power.draw.instant': '[Not Supported]' }, 99],
    [{ 'power.draw.average': '[N/A]', 'power.draw.instant': '', 'power.draw': '[Unknown Error]' }, undefined],
  ])('has the power that the driver knows: %j', (cells, powerW) => {
    expect(sampleIn(row(cells), NEWEST, 7)?.powerW).toBe(powerW);
  });

  test.each([
    ['', 'an empty line'],
    ['No devices were found', 'a message'],
    [`${row()}, 1`, 'one with a column more'],
    [row().slice(0, -20), 'one whose uuid is cut, of another GPU at most'],
    [row({ uuid: '[Unknown Error]' }), 'one without a uuid'],
    [row({ uuid: 'MIG-5a1c0001-1111-5222-8333-000000000001' }), 'one of a slice'],
  ])('%j is no row of this GPU: %s', (line) => {
    expect(sampleIn(line, NEWEST, 7)?.uuid).not.toBe(UUID);
  });

  test('never throws, whatever the text', () => {
    const any = fc.array(fc.string({ unit: anyCharacter }), { minLength: 14, maxLength: 16 });
    const reads = fc.property(any, (cells) => {
      const sample = sampleIn([...cells.slice(0, 14), UUID].join(','), NEWEST, 7);
      const figures = Object.values(sample ?? {}).filter((value) => typeof value === 'number');
      expect(figures.filter((value) => value < 0)).toEqual([]);
    });
    fc.assert(reads);
  });
});
