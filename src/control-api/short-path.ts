import { closeSync, openSync } from 'node:fs';
import { asStorageError } from '../domain/storage-error.ts';

/** A short path of a directory, until `close`: a socket's path is limited to 107 bytes. Throws STATE_DIR_UNUSABLE. */
export function shortPath(directory: string): { readonly path: string; close(): void } {
  try {
    const handle = openSync(directory, 'r');
    return { path: `/proc/self/fd/${handle}`, close: () => closeSync(handle) };
  } catch (cause) {
    throw asStorageError(cause, directory);
  }
}
