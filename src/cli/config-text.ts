import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';
import { foreignAccess } from '../lib/foreign-access.ts';

/**
 * The text of the configuration file; undefined if it is absent. Throws the system's error, an Error for what is no file,
 * and CONFIG_INVALID where others than `uid` and root may write to it: it names programs that the agent runs.
 */
export async function readConfigText(path: string, uid: number): Promise<string | undefined> {
  await using file = await openFile(path);
  if (file === undefined) return undefined;
  const found = await file.stat();
  if (!found.isFile()) throw new Error('it is not a regular file');
  const foreign = foreignAccess(path, found, uid);
  if (foreign !== undefined)
    throw new AgentError('CONFIG_INVALID', `it ${foreign.why}`, { hint: foreign.hint });
  return await file.readFile('utf8');
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
