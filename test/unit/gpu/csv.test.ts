import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGpus } from '../../../src/gpu/csv.ts';
import { type Field, fieldsOf } from '../../../src/gpu/fields.ts';
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
const OTHER_ROW = '1, GPU-2, Tesla T4, 00000000:02:00.0, 535.1, 15360, 12.5';

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
    expect(parseGpus(`\r\n${ROW}\r\n\r\n`, FIELDS).rows).toEqual([
      {
        uuid: 'GPU-1',
        index: 0,
        model: 'Tesla T4',
        busId: '00000000:01:00.0',
        driver: '535.1',
        memoryTotalMiB: 15360,
        memoryUsedMiB: undefined,
        memoryReservedMiB: undefined,
        utilizationPercent: undefined,
        temperatureC: undefined,
        powerDrawW: 12.5,
        powerLimitW: undefined,
        migMode: false,
        fault: undefined,
        faultHint: undefined,
        persistence: undefined,
      },
    ]);
  });

  test.each([
    ['15360 MiB', 15360],
    ['15360', 15360],
    ['-1', undefined],
    ['9'.repeat(400), undefined],
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
    const [gpu] = parseGpus(row, FIELDS).rows;
    expect(gpu === undefined ? 'refused' : (gpu.fault ?? gpu.memoryTotalMiB)).toBe(value);
  });

  test.each([
    ['15360', '[GPU requires reset]', 'GPU requires reset'],
    ['15360', '[GPU is lost]', 'GPU is lost'],
    ['12.5', '[GPU requires reset]', 'GPU requires reset'],
    ['15360', '[Unknown Error]', 'memory.total'],
    ['GPU-1', '[Unknown Error]', 'uuid'],
    ['GPU-1', '', 'uuid'],
  ])('with %s replaced by %j has a fault that names %s', (cell, odd, fault) => {
    expect(parseGpus(ROW.replace(cell, odd), FIELDS).rows[0]?.fault).toContain(fault);
  });

  test('has no fault for a power sensor with an unknown error', () => {
    expect(parseGpus(ROW.replace('12.5', '[Unknown Error]'), FIELDS).rows[0]?.fault).toBeUndefined();
  });

  test.each([
    ['a column too few', ROW.slice(0, ROW.lastIndexOf(','))],
    ['a column too many', `${ROW}, 5`],
    ['a name with a comma', ROW.replace('Tesla T4', 'Tesla, T4')],
    ['a sentence with as many commas', 'Unable, to, determine, the, device, handle, of a GPU'],
    ['a warning', 'WARNING: infoROM is corrupted at gpu 0000:02:00.0'],
  ])('has no row for a line with %s, and keeps the rows around it', (_, line) => {
    const { others, rows } = parseGpus(`${line}\n${ROW}\n${line}\n${OTHER_ROW}\n${line}`, FIELDS);
    expect(rows.map(({ uuid }) => uuid)).toEqual(['GPU-1', 'GPU-2']);
    expect(others).toEqual([line, line, line]);
  });

  test('counts a row that is printed twice once', () => {
    expect(parseGpus(`${ROW}\n${ROW}`, FIELDS).rows).toHaveLength(1);
  });

  test('has a fault for both of two GPUs with one uuid, which get keys of their own', () => {
    const { rows } = parseGpus(`${ROW}\n${OTHER_ROW.replace('GPU-2', 'GPU-1')}`, FIELDS);
    expect(rows.map(({ fault }) => fault)).toEqual([
      expect.stringContaining('GPU 1 has the same uuid'),
      expect.stringContaining('GPU 0 has the same uuid'),
    ]);
    expect(new Set(rows.map(({ uuid }) => uuid)).size).toBe(2);
  });

  test('escapes and bounds a name', () => {
    const name = `Tesla \u001b[31m\u202e${'x'.repeat(500)}`;
    const [gpu] = parseGpus(ROW.replace('Tesla T4', name), FIELDS).rows;
    expect(gpu?.model).toContain('\\u{1b}[31m');
    expect(gpu?.model.length).toBeLessThan(130);
  });

  test('is read without throwing for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        const { others, rows } = parseGpus(text, FIELDS);
        expect(rows.length + others.length).toBeLessThanOrEqual(text.split('\n').length);
      }),
    );
  });
});

describe('the cells of a row', () => {
  const fields: readonly Field[] = [
    ...FIELDS,
    'utilization.gpu',
    'temperature.gpu',
    'compute_mode',
    'ecc.mode.current',
    'ecc.mode.pending',
    'remapped_rows.pending',
    'remapped_rows.failure',
    'gpu_recovery_action',
  ];
  const cells = {
    u: '0',
    t: '40',
    mode: 'Default',
    ecc: 'Enabled',
    next: 'Enabled',
    rows: 'No',
    bad: 'No',
    do: 'None',
  };
  const rowWith = (changes: Partial<typeof cells>) => {
    const { bad, do: action, ecc, mode, next, rows, t, u } = { ...cells, ...changes };
    const row = [ROW, u, t, mode, ecc, next, rows, bad, action].join(', ');
    return parseGpus(row, fields).rows[0];
  };

  test.each([
    [{}, undefined, []],
    [{ u: '[Unknown Error]' }, undefined, ['utilization.gpu']],
    [
      { u: '[Unknown Error]', t: '[Unknown Error]' },
      /utilization\.gpu/,
      ['utilization.gpu', 'temperature.gpu'],
    ],
    [{ ecc: 'Disabled' }, undefined, ['ECC mode']],
    [{ rows: 'Yes' }, undefined, ['repair']],
    [{ bad: 'Yes' }, /remapped/, []],
    [{ bad: '[N/A]', do: '[N/A]', rows: '[N/A]' }, undefined, []],
  ])('%j make a fault %s and warnings about %j', (changes, fault, warnings) => {
    const gpu = rowWith(changes);
    if (fault === undefined) expect(gpu?.fault).toBeUndefined();
    else expect(gpu?.fault).toMatch(fault);
    expect((gpu?.warnings ?? []).map(({ why }) => why)).toEqual(
      warnings.map((text) => expect.stringContaining(text) as unknown),
    );
  });

  test.each([
    ['Reset', '--gpu-reset -i 0'],
    ['Drain and Reset', '--gpu-reset -i 0'],
    ['GPU Reset Required', '--gpu-reset -i 0'],
    ['Reboot', 'reboot'],
    ['Node Reboot Required', 'reboot'],
    ['Drain P2P', 'several GPUs'],
    ['Bus Reset', 'reboot'],
  ])('that ask for the recovery %s have a hint of their own', (action, hint) => {
    expect(rowWith({ do: action })).toMatchObject({
      fault: expect.stringContaining(action) as unknown,
      faultHint: expect.stringContaining(hint) as unknown,
    });
  });

  test.each([
    ['Default', undefined, undefined],
    ['Exclusive_Process', true, undefined],
    ['Exclusive_Thread', true, undefined],
    ['Prohibited', undefined, 'nvidia-smi -c 0 -i 0'],
    ['[N/A]', undefined, undefined],
  ])('with the compute mode %s', (mode, exclusive, hint) => {
    const gpu = rowWith({ mode });
    expect(gpu?.exclusive).toBe(exclusive);
    if (hint === undefined) expect(gpu?.fault).toBeUndefined();
    else expect(gpu?.faultHint).toContain(hint);
  });

  test.each([
    ['54f0c4c6-8a2b-5d1e-a2f0-0c1d8a7f8b11', 'Orin (nvgpu)', /Jetson/],
    ['a21f5a5d-8a2b-5d1e-a2f0-0c1d8a7f8b11', 'NVIDIA Thor', /Jetson/],
    ['a21f5a5d-8a2b-5d1e-a2f0-0c1d8a7f8b11', 'Tesla T4', /uuid is unreadable/],
  ])('with the uuid %s and the name %s', (uuid, name, fault) => {
    const row = ROW.replace('GPU-1', uuid).replace('Tesla T4', name);
    expect(parseGpus(row, FIELDS).rows[0]?.fault).toMatch(fault);
  });
});
