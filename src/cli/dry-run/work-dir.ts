import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';

/** The directory of one dry run; disposing removes it with its contents. */
export type WorkDir = AsyncDisposable & { readonly path: string };

/** Creates the directory in TMPDIR. Throws STATE_DIR_UNUSABLE. */
export async function makeWorkDir(): Promise<WorkDir> {
  const path = await makeDirectory(tmpdir());
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function makeDirectory(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'sharedcloud-dry-run-'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('STATE_DIR_UNUSABLE', `cannot create a directory in ${parent}: ${why}`, {
      hint: 'set TMPDIR to a writable directory',
      cause,
    });
  }
}
