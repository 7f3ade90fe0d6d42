import { closeSync, openSync } from 'node:fs';
import { asStorageError } from '../domain/storage-error.ts';

/** A socket's path is limited to 107 bytes; its name in the directory has fewer than 20. */
const SHORT_ENOUGH = 87;

/**
 * A short path of a directory, until `close`. Throws STATE_DIR_UNUSABLE. One that is short as it is need not be readable,
 * only entered.
 */
export function shortPath(directory: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(directory) <= SHORT_ENOUGH) return { path: directory, close: () => undefined };
  try {
    const handle = openSync(directory, 'r');
    return { path: `/proc/self/fd/${handle}`, close: () => closeSync(handle) };
  } catch (cause) {
    throw asStorageError(cause, directory);
  }
}
