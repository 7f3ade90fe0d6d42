import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';

/**
 * The text of the configuration file; undefined if it is absent. Throws the system's error, an Error for what is no file,
 * and CONFIG_INVALID where others than `uid` and root may write to it: it names programs that the agent runs.
 */
export async function readConfigText(path: string, uid: number): Promise<string | undefined> {
  await using file = await openFile(path);
  if (file === undefined) return undefined;
  const found = await file.stat();
  if (!found.isFile()) throw new Error('it is not a regular file');
  if (found.uid !== uid && found.uid !== 0)
    throw new AgentError('CONFIG_INVALID', `it belongs to another user (uid ${found.uid})`, {
      hint: `chown ${uid} ${path}`,
    });
  if ((found.mode & 0o022) !== 0)
    throw new AgentError('CONFIG_INVALID', 'other users may write to it', { hint: `chmod go-w ${path}` });
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
