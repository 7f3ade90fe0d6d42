import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeDocker } from '../support/engine/docker.ts';

const ROOT = join(import.meta.dirname, '../..');
const SPREAD = z.object({
  median: z.number(),
  p95: z.number(),
  min: z.number(),
  max: z.number(),
  samples: z.number().min(1),
});
const FIGURES = z.object({
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  quick: z.literal(true),
  rows: z.array(
    z.object({
      row: z.string(),
      figures: z.array(z.object({ what: z.string(), unit: z.string(), ours: SPREAD })).min(1),
    }),
  ),
});

/** The quick ones; `npm run test:long` measures them all. Of the sources: another test may be building `dist/` now. */
const ROWS = ['report', 'market', 'journal'];

describeDocker('npm run bench -- --quick', (engine) => {
  test('measures the rows that it is given, prints a table and leaves JSON', async () => {
    const argv = ['bench/main.ts', '--quick', '--entry', 'src/main.ts', ...ROWS];
    const env = { PATH: process.env['PATH'], DOCKER_HOST: engine.host };
    const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: ROOT, env });
    const { rows } = FIGURES.parse(JSON.parse(await readFile(join(ROOT, '.cache/bench/quick.json'), 'utf8')));
    expect(rows.map(({ row }) => row)).toEqual(ROWS);
    for (const row of ROWS) expect(stdout).toContain(`| ${row} |`);
  });
});
