import { constants } from 'node:fs';
import { type FileHandle, open, stat as statFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import { foreignOnTheWay } from '../lib/foreign-access.ts';
import { LIMITS } from '../limits.ts';
import type { Loaded } from './config.ts';

/** The token file if none is configured. */
export const DEFAULT_TOKEN_FILE = '/etc/sharedcloud-agent/token';

/** The place of the token. */
export type TokenOrigin =
  | { readonly kind: 'variable'; readonly name: string; readonly token: string }
  | { readonly kind: 'file'; readonly path: string }
  /** A file that systemd made for this service, so its mode does not matter; systemd copied it from `source`, if that exists. */
  | { readonly kind: 'credential'; readonly path: string; readonly source: string };

/**
 * The place of the token, by priority: `--token-file`, SHAREDCLOUD_TOKEN, the token file of environment or file, systemd's
 * credential, the default file.
 */
export function tokenOrigin({ config, sources }: Pick<Loaded, 'config' | 'sources'>): TokenOrigin {
  const { token, tokenFile, credentialsDirectory } = config;
  if (tokenFile !== undefined && (sources.tokenFile.kind === 'flag' || token === undefined))
    return { kind: 'file', path: tokenFile };
  if (token !== undefined) return { kind: 'variable', name: sources.token.name, token: token.reveal() };
  if (credentialsDirectory !== undefined)
    return { kind: 'credential', path: join(credentialsDirectory, 'token'), source: DEFAULT_TOKEN_FILE };
  return { kind: 'file', path: DEFAULT_TOKEN_FILE };
}

/** The broker's token; `reload` rereads its file, so that a new token needs no restart. */
export class TokenSource {
  readonly #origin: TokenOrigin;
  readonly #uid: number;
  readonly #onToken: (token: string) => void;
  #token: string | undefined;

  /** `uid` is the agent's user. `onToken` is called with each token before it is used, so that logs can redact it. */
  constructor(origin: TokenOrigin, uid: number, onToken: (token: string) => void) {
    this.#origin = origin;
    this.#uid = uid;
    this.#onToken = onToken;
  }

  /** The token that was read last; reads it the first time. Throws as `reload` does. */
  async current(): Promise<string> {
    return this.#token ?? (await this.reload());
  }

  /** Rereads the token and returns whether it changed. Throws as `reload` does. */
  async renew(): Promise<boolean> {
    const before = this.#token;
    return (await this.reload()) !== before;
  }

  /** Rereads the token. Throws TOKEN_FILE_UNSAFE, TOKEN_MISSING or CONFIG_INVALID; `current` keeps the old one then. */
  async reload(): Promise<string> {
    const origin = this.#origin;
    const [text, where] =
      origin.kind === 'variable'
        ? [origin.token, origin.name]
        : [await readTokenFile(origin, this.#uid), `the token file ${origin.path}`];
    const token = parseToken(text, where);
    this.#onToken(token);
    this.#token = token;
    return token;
  }
}

/** The token in a text; `where` names the text. Throws TOKEN_MISSING or CONFIG_INVALID. */
export function parseToken(text: string, where: string): string {
  const token = text.trim();
  if (token === '')
    throw new AgentError('TOKEN_MISSING', `${where} is empty`, { hint: 'put the broker’s token into it' });
  // The token is sent in a header, so it must be printable ASCII without blanks.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new AgentError('CONFIG_INVALID', `${where} does not contain exactly one token`, {
      hint: 'write the token alone, in one line, without quotes or a user name',
    });
  if (/^["']|["']$/.test(token))
    throw new AgentError('CONFIG_INVALID', `${where} contains a token in quotes`, {
      hint: 'write the token alone, without quotes around it',
    });
  return token;
}

async function readTokenFile(
  origin: Exclude<TokenOrigin, { kind: 'variable' }>,
  uid: number,
): Promise<string> {
  const { path } = origin;
  if (origin.kind === 'credential') await checkSource(origin.source);
  await using file = await openTokenFile(path);
  // Checks the open file instead of its name, which another file could replace meanwhile.
  const { mode, uid: owner, size } = await stat(file, path);
  if (origin.kind === 'file') {
    checkMode(mode, path);
    if (owner !== uid && owner !== 0)
      throw new AgentError('TOKEN_FILE_UNSAFE', `${path} belongs to another user (uid ${owner})`, {
        hint: `chown ${uid} ${path}`,
      });
    const foreign = foreignOnTheWay(path, uid);
    if (foreign !== undefined)
      throw new AgentError('TOKEN_FILE_UNSAFE', `${path} ${foreign.why}`, { hint: foreign.hint });
  }
  if (size > LIMITS.host.tokenFile.max)
    throw new AgentError('CONFIG_INVALID', `${path} is too large for a token (${size} bytes)`, {
      hint: 'name a file that contains only the token',
    });
  return file.readFile('utf8');
}

/** systemd copies a token even if other users can read the original. */
async function checkSource(path: string): Promise<void> {
  const found = await statFile(path).catch(() => undefined);
  if (found !== undefined) checkMode(found.mode, path);
}

function checkMode(mode: number, path: string): void {
  if ((mode & 0o077) === 0) return;
  throw new AgentError('TOKEN_FILE_UNSAFE', `other users can access ${path} (mode ${octal(mode)})`, {
    hint: `chmod 600 ${path}`,
  });
}

async function stat(file: FileHandle, path: string) {
  const found = await file.stat();
  if (found.isFile()) return found;
  throw new AgentError('CONFIG_INVALID', `${path} is not a regular file`, {
    hint: 'name the file with the token',
  });
}

async function openTokenFile(path: string): Promise<FileHandle> {
  try {
    // Non-blocking, because opening a pipe without a writer never returns.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new AgentError('TOKEN_MISSING', `there is no token file ${path}`, {
        hint: 'run sharedcloud-agent login, which writes it, or name another file with --token-file',
        cause,
      });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('TOKEN_FILE_UNSAFE', `the token file ${path} cannot be read: ${reason}`, {
      hint: 'make it readable for the agent’s user only',
      cause,
    });
  }
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
