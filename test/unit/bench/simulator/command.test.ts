import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../../../..');
const STANDINGS = z.array(z.object({ nets: z.array(z.number()) }));

async function simulate(...args: readonly string[]): Promise<string> {
  const argv = ['--disable-warning=ExperimentalWarning', 'bench/simulate.ts', ...args];
  return (await promisify(execFile)(process.execPath, argv, { cwd: ROOT })).stdout;
}

async function netsOf(...seeds: readonly string[]): Promise<readonly number[]> {
  const thin = ['--shape', 'thin', '--strategy', 'fixed', '--days', '2', '--json'];
  const [standing] = STANDINGS.parse(JSON.parse(await simulate(...thin, ...seeds)));
  return standing?.nets ?? [];
}

test('seeds of one’s own are counted up from the first, and repeat its markets', async () => {
  const [own, usual, second] = await Promise.all([
    netsOf('--seed', '7', '--seeds', '2'),
    netsOf('--seeds', '2'),
    netsOf('--seed', '8', '--seeds', '1'),
  ]);
  expect(own).toHaveLength(2);
  expect(own[1]).toBe(second[0]);
  expect(own).not.toEqual(usual);
});

test('the usage is no error where it is asked for', async () => {
  expect(await simulate('--help')).toContain('--seed ');
});
