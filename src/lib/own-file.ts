import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { foreignAccess, foreignOnTheWay, ownUid } from './foreign-access.ts';
import { readableBytes } from './readable.ts';

/** The text of a file, or why it must not be used. */
export type OwnFile = { readonly text: string } | { readonly why: string; readonly hint: string };

/**
 * Reads a file of at most `maxBytes` that no other user than `uid` and root may change or replace; undefined: it does not
 * exist. What was opened is checked, not the name, which another file could take meanwhile. Throws the system's error.
 */
export function readOwnFile(path: string, maxBytes: number, uid: number = ownUid()): OwnFile | undefined {
  return readChecked(
    path,
    maxBytes,
    (found) => foreignAccess(path, found, uid) ?? foreignOnTheWay(path, uid),
  );
}

/** As `readOwnFile`, of a file that no other user may even read. Root may read that of any user. */
export function readSecretFile(path: string, maxBytes: number, uid: number = ownUid()): OwnFile | undefined {
  return readChecked(path, maxBytes, (found) => {
    const reader = uid === 0 ? found.uid : uid;
    if ((found.mode & 0o077) !== 0)
      return { why: 'can be accessed by other users', hint: `chmod 600 ${path}` };
    return foreignAccess(path, found, reader) ?? foreignOnTheWay(path, reader);
  });
}

type Refusal = { readonly why: string; readonly hint: string };

function readChecked(
  path: string,
  maxBytes: number,
  refusal: (found: Stats) => Refusal | undefined,
): OwnFile | undefined {
  const file = openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const found = fstatSync(file);
    if (!found.isFile()) return { why: 'is not a regular file', hint: 'name a file' };
    const foreign = refusal(found);
    if (foreign !== undefined) return foreign;
    const bytes = readAtMost(file, maxBytes);
    if (bytes === undefined)
      return { why: `has more than ${readableBytes(maxBytes)}`, hint: 'name the right file' };
    return { text: bytes.toString('utf8') };
  } finally {
    closeSync(file);
  }
}

/** To the end, whatever size the system names: those of procfs and FUSE may be 0. Undefined: it is longer. */
function readAtMost(file: number, maxBytes: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(maxBytes + 1);
  let length = 0;
  for (let read = -1; read !== 0 && length < buffer.length; length += read)
    read = readSync(file, buffer, length, buffer.length - length, null);
  return length > maxBytes ? undefined : buffer.subarray(0, length);
}

function openIfThere(path: string): number | undefined {
  try {
    // Without O_NONBLOCK opening a pipe would wait for a writer for ever.
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw thrown;
  }
}
