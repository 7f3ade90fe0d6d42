import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';

/** A directory for one dry run; disposing removes it with all that is in it. */
export type WorkDir = AsyncDisposable & { readonly path: string };

/** Makes the directory where TMPDIR says. Throws STATE_DIR_UNUSABLE. */
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
    throw new AgentError('STATE_DIR_UNUSABLE', `no directory can be made in ${parent}: ${why}`, {
      hint: 'set TMPDIR to a directory that can be written',
      cause,
    });
  }
}
