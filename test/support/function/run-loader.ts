import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '../../../src/domain/ports/job-files.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import type { Interpreter } from './interpreters.ts';

/** A function, its arguments, and how to run them. */
export type LoaderRun = {
  readonly interpreter: Interpreter;
  readonly code: string;
  readonly args?: string;
  /** Whether stdout is a pipe, as in a container; else it is a socket, as Node.js makes for child processes. */
  readonly pipe?: boolean;
  readonly env?: Readonly<Record<string, string>>;
};

/** The outcome; `code` is the exit code of a shell. */
export type LoaderOutcome = Output & { readonly code: number; readonly seconds: number };

/** Runs a function with the real loader and interpreter as an image does: `python3 -c "$CODE"`, `node -e "$CODE"`. */
export async function runLoader(run: LoaderRun): Promise<LoaderOutcome> {
  const root = await mkdtemp(join(tmpdir(), 'sharedcloud-loader-'));
  try {
    const files = new JobFolders(root);
    const python = run.interpreter.name.startsWith('Python');
    const runtime = run.interpreter.name
      .toLowerCase()
      .replace('.js', '')
      .replaceAll(/[ .]|\(.*/g, '');
    const fn = {
      uuid: 'f',
      name: 'f',
      runtime,
      imageUuid: 'i',
      registryPath: 'sharedcloud/x',
    };
    const { env, inputDir } = await files.layOut('job', {
      fn,
      code: run.code,
      args: run.args ?? '()',
    });
    const output = await files.output('job');
    const command = [run.interpreter.path, python ? '-c' : '-e', env['CODE'] ?? ''];
    const started = performance.now();
    const child = spawn(
      'bash',
      ['-c', run.pipe === true ? 'set -o pipefail; "$@" | cat' : 'exec "$@"', 'bash', ...command],
      {
        env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env, SHAREDCLOUD_INPUT: inputDir, ...run.env },
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
