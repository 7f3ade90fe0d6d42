import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ran } from './run.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const MOST_BYTES = 64 * 1024 * 1024;

/** Runs a command line as a process of its own, with nothing but `env` and PATH around it; `ms` is how long it took. */
export function runProcess(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran & { readonly ms: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [MAIN, ...argv],
      { env: { PATH: process.env['PATH'], ...env }, maxBuffer: MOST_BYTES },
      (error, stdout, stderr) => {
        const exit = error === null ? 0 : error.code;
        if (typeof exit === 'number') resolve({ exit, stdout, stderr, ms: performance.now() - began });
        else reject(error ?? new Error('no exit code'));
      },
    );
  });
}
