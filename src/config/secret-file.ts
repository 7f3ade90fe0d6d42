import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AgentError } from '../domain/errors.ts';
import { foreignOnTheWay } from '../lib/foreign-access.ts';
import { LIMITS } from '../limits.ts';

/** A shorter password could be found by trying. */
const MIN_CHARACTERS = 8;

/**
 * Reads a file with one secret, which no other user may read or replace; `what` it is, for messages. Throws
 * SECRET_FILE_UNSAFE, and CONFIG_INVALID for a content that is none.
 */
export async function readSecretFile(path: string, what: 'password' | 'token', uid: number): Promise<string> {
  const text = (await readOwn(path, what, uid)).replace(/\r?\n$/, '');
  const hint = `write the ${what} alone into it, in one line, such as from: openssl rand -base64 24`;
  if (!/^\P{Cc}+$/u.test(text))
    throw new AgentError('CONFIG_INVALID', `${path} does not contain exactly one ${what}`, { hint });
  if (text.length < MIN_CHARACTERS)
    throw new AgentError(
      'CONFIG_INVALID',
      `the ${what} in ${path} has fewer than ${MIN_CHARACTERS} characters`,
      {
        hint,
      },
    );
  return text;
}

async function readOwn(path: string, what: string, uid: number): Promise<string> {
  try {
    // Non-blocking, because opening a pipe without a writer never returns. Checks the open file instead of its name.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile())
      throw new AgentError('CONFIG_INVALID', `${path} is not a regular file`, {
        hint: `name the file with the ${what}`,
      });
    if ((found.mode & 0o077) !== 0)
      throw new AgentError('SECRET_FILE_UNSAFE', `other users can access ${path}`, {
        hint: `chmod 600 ${path}`,
      });
    if (found.uid !== uid && found.uid !== 0)
      throw new AgentError('SECRET_FILE_UNSAFE', `${path} belongs to another user (uid ${found.uid})`, {
        hint: `chown ${uid} ${path}`,
      });
    const foreign = foreignOnTheWay(path, uid);
    if (foreign !== undefined)
      throw new AgentError('SECRET_FILE_UNSAFE', `${path} ${foreign.why}`, { hint: foreign.hint });
    if (found.size > LIMITS.page.passwordFile.max)
      throw new AgentError('CONFIG_INVALID', `${path} is too large for a ${what} (${found.size} bytes)`, {
        hint: `name a file that contains only the ${what}`,
      });
    return await file.readFile('utf8');
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('SECRET_FILE_UNSAFE', `the file with the ${what} cannot be read: ${reason}`, {
      hint: `make it with mode 0600 for the agent’s user: install -m 600 -o ${uid} /dev/stdin ${path}`,
      cause,
    });
  }
}
