import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '../../../src/domain/ports/job-files.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import type { Interpreter } from './interpreters.ts';

/** A function and its arguments, and how they are run here. */
export type Trial = {
  readonly interpreter: Interpreter;
  readonly code: string;
  readonly args?: string;
  /** Through a pipe of the kernel, as in a container; else through a socket, as Node.js makes them. */
  readonly pipe?: boolean;
  readonly env?: Readonly<Record<string, string>>;
};

/** What came out: `code` as a shell shows it. */
export type TrialResult = Output & { readonly code: number; readonly seconds: number };

/** Runs a function with the real loader and interpreter, as an image would: `python3 -c "$CODE"`, `node -e "$CODE"`. */
export async function runJob(trial: Trial): Promise<TrialResult> {
  const root = await mkdtemp(join(tmpdir(), 'sharedcloud-trial-'));
  try {
    const files = new JobFolders(root);
    const python = trial.interpreter.name.startsWith('Python');
    const runtime = trial.interpreter.name
      .toLowerCase()
      .replace('.js', '')
      .replaceAll(/[ .]|\(.*/g, '');
    const fn = {
      uuid: 'f',
      name: 'f',
      code: trial.code,
      runtime,
      imageUuid: 'i',
      registryPath: 'sharedcloud/x',
    };
    const { env, inputDir } = await files.layOut('job', fn, trial.args ?? '()');
    const output = await files.output('job');
    const command = [trial.interpreter.path, python ? '-c' : '-e', env['CODE'] ?? ''];
    const started = performance.now();
    const child = spawn(
      'bash',
      ['-c', trial.pipe === true ? 'set -o pipefail; "$@" | cat' : 'exec "$@"', 'bash', ...command],
      {
        env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env, SHAREDCLOUD_INPUT: inputDir, ...trial.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        cwd: root,
      },
    );
    child.stdout.on('data', (chunk: Uint8Array) => output.write('stdout', chunk));
    child.stderr.on('data', (chunk: Uint8Array) => output.write('stderr', chunk));
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (exit, signal) =>
        resolve(exit ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
    return { ...output.end(), code, seconds: (performance.now() - started) / 1000 };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
