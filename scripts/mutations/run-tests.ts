import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { namePattern } from './mutation.ts';

const REPORT = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** Longer than any one test may take. */
const MOST_MS = 600_000;

/** The state of each test of a file whose name ends so: `passed` or `failed`; empty if none could be run. */
export function runTests(tree: string, file: string, names: readonly string[]): ReadonlyMap<string, string> {
  const report = join(tree, 'report.json');
  rmSync(report, { force: true });
  const patterns = names.map((name) => namePattern(name).source);
  const options = ['run', file, '-t', patterns.join('|'), '--reporter=json', `--outputFile=${report}`];
  spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...options], {
    cwd: tree,
    stdio: 'ignore',
    timeout: MOST_MS,
  });
  const read = REPORT.safeParse(jsonOf(report));
  const results = (read.data?.testResults ?? []).flatMap(({ assertionResults }) => assertionResults);
  const wanted = patterns.map((pattern) => new RegExp(pattern));
  return new Map(
    results
      .filter(
        ({ fullName, status }) =>
          status !== 'skipped' && status !== 'pending' && wanted.some((one) => one.test(fullName)),
      )
      .map(({ fullName, status }) => [fullName, status]),
  );
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // No report: the test file could not be loaded.
    return undefined;
  }
}
