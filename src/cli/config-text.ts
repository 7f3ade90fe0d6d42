import { AgentError } from '../domain/errors.ts';
import { readOwnFile } from '../lib/own-file.ts';
import { LIMITS } from '../limits.ts';

/**
 * The text of the configuration file; undefined if it is absent. Throws the system's error, and CONFIG_INVALID for what is
 * no file, is too large, or others than `uid` and root may change or replace: it names programs that the agent runs.
 */
export async function readConfigText(path: string, uid: number): Promise<string | undefined> {
  const read = readOwnFile(path, LIMITS.host.configFile.max, uid);
  if (read === undefined || 'text' in read) return read?.text;
  throw new AgentError('CONFIG_INVALID', `it ${read.why}`, { hint: read.hint });
}
