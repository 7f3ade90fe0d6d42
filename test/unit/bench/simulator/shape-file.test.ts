import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { marketOf } from '../../../../bench/simulator/market.ts';
import { readShape } from '../../../../bench/simulator/shape-file.ts';
import { SHAPES } from '../../../../bench/simulator/shapes.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shape-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

async function fileOf(shape: object): Promise<string> {
  const file = join(dir, 'shape.json');
  await writeFile(file, JSON.stringify(shape));
  return file;
}

describe('a shape in a file', () => {
  test.each(SHAPES)('makes the market that the same shape makes: $name', async (shape) => {
    const dollarsPerKWh = Array.from({ length: 24 }, (_, hour) => shape.dollarsPerKWh(hour));
    const read = readShape(await fileOf({ ...shape, dollarsPerKWh }));
    expect(marketOf(read, 7, 2).runs).toEqual(marketOf(shape, 7, 2).runs);
    expect(dollarsPerKWh.map((_, hour) => read.dollarsPerKWh(hour))).toEqual(dollarsPerKWh);
  });

  test('may have one price of electricity', async () => {
    const read = readShape(await fileOf({ ...SHAPES[0], dollarsPerKWh: 0.45 }));
    expect([read.dollarsPerKWh(0), read.dollarsPerKWh(23)]).toEqual([0.45, 0.45]);
  });

  test.each([
    ['a price missing', {}],
    ['too few prices', { dollarsPerKWh: [0.1, 0.2] }],
    ['a field that is none', { dollarsPerKWh: 0.3, colour: 'red' }],
    ['fewer than one job a run', { dollarsPerKWh: 0.3, jobs: { ...SHAPES[0]?.jobs, perRun: 0 } }],
  ])('is refused with %s', async (_, wrong) => {
    const { dollarsPerKWh: _function, ...shape } = SHAPES[0] ?? {};
    const file = await fileOf({ ...shape, ...wrong });
    expect(() => readShape(file)).toThrow(file);
  });
});
