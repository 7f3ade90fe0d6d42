import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Runs a command that writes `dist/`, one at a time whatever files are tested at once; answers what it printed. */
export async function build(...command: readonly string[]): Promise<string> {
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  const { stdout } = await promisify(execFile)('flock', ['.cache/build.lock', ...command], { cwd: ROOT });
  return stdout;
}
