import { access, constants, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ownUid } from '../../lib/foreign-access.ts';
import { nearestDirectory } from '../../state-dir/inspection.ts';

const PREFIX = '.sharedcloud-check-';
const ABANDONED_MS = 600_000;

/**
 * A directory of our own in the state directory, because the engine has to see the files of jobs there; beside it where
 * it does not exist, and in the directory for temporary files where this user cannot write to either.
 */
export async function openCheckDirectory(
  stateDir: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const nearest = await nearestDirectory(resolve(stateDir));
  const isWritable = await access(nearest, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const parent = isWritable ? nearest : tmpdir();
  await removeAbandoned(parent);
  const path = await mkdtemp(join(parent, PREFIX));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Removes what a `check` that was killed has left, as far as this user may. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const found = await lstat(path).catch(() => undefined);
    // Another user's stays: what it leads to could change while root removes it.
    if (found?.uid === ownUid() && Date.now() - found.mtimeMs > ABANDONED_MS)
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
