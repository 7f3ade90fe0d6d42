import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The text of a regular file, undefined where there is none. Throws what the system says, or that it is no file. */
export async function readTextFile(path: string): Promise<string | undefined> {
  await using file = await openFile(path);
  if (file === undefined) return undefined;
  if ((await file.stat()).isFile()) return await file.readFile('utf8');
  throw new Error('it is not a regular file');
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    // Without waiting: a pipe without a writer would hold us for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}
