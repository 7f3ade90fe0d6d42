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
  least: z.number(),
  most: z.number(),
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

/** On a machine that is busy. It is to take less than two minutes on one that is not. */
const TIMEOUT_MS = 900_000;

describeDocker('npm run bench -- --quick', (engine) => {
  test(
    'measures every row, prints a table and leaves JSON',
    async () => {
      const env = { PATH: process.env['PATH'], DOCKER_HOST: engine.host };
      const { stdout } = await promisify(execFile)(process.execPath, ['bench/main.ts', '--quick'], {
        cwd: ROOT,
        env,
      });
      const file = await readFile(join(ROOT, '.cache/bench/quick.json'), 'utf8');
      const { rows } = FIGURES.parse(JSON.parse(file));
      expect(rows.map(({ row }) => row)).toEqual([
        'throughput',
        'claim',
        'report',
        'idle',
        'market',
        'flood',
        'restart',
        'journal',
      ]);
      for (const { row } of rows) expect(stdout).toContain(`| ${row} |`);
    },
    TIMEOUT_MS,
  );
});
