import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** The text of a regular file; undefined if it is absent. Throws the system's error, also for what is no file. */
export async function readTextFile(path: string): Promise<string | undefined> {
  await using file = await openFile(path);
  if (file === undefined) return undefined;
  if ((await file.stat()).isFile()) return await file.readFile('utf8');
  throw new Error('it is not a regular file');
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK opening a pipe would wait for a writer for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}
