import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { AgentError } from '../../../domain/errors.ts';
import { foreignAccess, foreignOnTheWay, ownUid } from '../../../lib/foreign-access.ts';
import { LIMITS } from '../../../limits.ts';
import { type DockerConfig, parseDockerConfig } from './docker-config.ts';

const READABLE_BY_OTHERS = 0o004;

/** Docker's `config.json` as it was read. */
export type ConfigFile = {
  readonly config: DockerConfig;
  /** Differs after every change of the file. */
  readonly version: string;
  /** Whether every user of this host can read it. */
  readonly isPublic: boolean;
};

/**
 * Reads the file, unless it is still as in `before`. undefined: it does not exist. Throws REGISTRY_CREDENTIALS_UNUSABLE,
 * also where other users can change it, and without anything of its content.
 */
export async function readConfigFile(
  path: string,
  before?: ConfigFile,
  uid: number = ownUid(),
): Promise<ConfigFile | undefined> {
  const unusable = (why: string, hint: string): AgentError =>
    new AgentError('REGISTRY_CREDENTIALS_UNUSABLE', `registry credentials are not used: ${path} ${why}`, {
      hint,
    });
  let text: string;
  let version: string;
  let mode: number;
  try {
    // What was opened is checked. Without O_NONBLOCK opening a pipe would wait for its writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    if (!found.isFile()) throw unusable('is not a file', 'name another directory with --docker-config');
    if (found.size > LIMITS.host.dockerConfig.max)
      throw unusable(`has more than ${LIMITS.host.dockerConfig.max} bytes`, 'write a smaller one');
    // It names programs that the agent runs.
    const foreign = foreignAccess(path, found, uid) ?? foreignOnTheWay(path, uid);
    if (foreign !== undefined) throw unusable(foreign.why, foreign.hint);
    version = [found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ');
    mode = found.mode;
    if (before?.version === version) return before;
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(LIMITS.host.dockerConfig.max),
      0,
      LIMITS.host.dockerConfig.max,
      0,
    );
    text = buffer.toString('utf8', 0, bytesRead);
  } catch (thrown) {
    if (thrown instanceof AgentError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const hint = 'make it readable for the agent’s user, or name another directory with --docker-config';
    throw unusable(`cannot be read (${String(code ?? thrown)})`, hint);
  }
  try {
    return { config: parseDockerConfig(text), version, isPublic: (mode & READABLE_BY_OTHERS) !== 0 };
  } catch {
    // The parser's message would quote the file.
    const hint = 'correct it, or write it again with `docker login` as the agent’s user';
    throw unusable('is not a valid config.json of Docker', hint);
  }
}
