import { AgentError } from '../domain/errors.ts';
import { readSecretFile } from '../lib/own-file.ts';
import { LIMITS } from '../limits.ts';

/** The secret of a file, without the blanks around it. Read for each use, so that a new one needs no restart. */
export function readSecret(path: string): string {
  const found = readIt(path);
  if (found === undefined)
    throw new AgentError('SECRET_FILE_UNUSABLE', `there is no file ${path}`, {
      hint: 'put the secret into it with mode 0600',
    });
  if ('why' in found)
    throw new AgentError('SECRET_FILE_UNUSABLE', `${path} ${found.why}`, { hint: found.hint });
  const secret = found.text.trim();
  // A token is sent in a header.
  if (!/^[\x21-\x7e]+$/.test(secret))
    throw new AgentError('SECRET_FILE_UNUSABLE', `${path} does not contain exactly one secret`, {
      hint: 'write the secret alone, in one line of printable ASCII without blanks',
    });
  return secret;
}

function readIt(path: string): ReturnType<typeof readSecretFile> {
  try {
    return readSecretFile(path, LIMITS.host.tokenFile.max);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('SECRET_FILE_UNUSABLE', `${path} cannot be read: ${reason}`, {
      hint: 'make it readable for the agent’s user only',
      cause,
    });
  }
}
