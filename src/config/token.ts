import { constants } from 'node:fs';
import { type FileHandle, open, stat as statFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../domain/errors.ts';
import type { Loaded } from './config.ts';

const MOST_BYTES = 4096;

/** Where the token is looked for when nothing says where it is: beside the configuration file. */
const USUAL_FILE = '/etc/sharedcloud-agent/token';

/** Where the token is to be found. */
export type TokenOrigin =
  | { readonly kind: 'variable'; readonly name: string; readonly token: string }
  | { readonly kind: 'file'; readonly path: string }
  /** A file that systemd made for us alone and whose owner and mode are its affair; it copied it from `source`, if that is there. */
  | { readonly kind: 'credential'; readonly path: string; readonly source: string };

/**
 * Which of the places that the configuration names holds the token: `--token-file`, SHAREDCLOUD_TOKEN, the token
 * file of environment or file, systemd's credential, the usual file, in this order.
 */
export function tokenOrigin({ config, sources }: Pick<Loaded, 'config' | 'sources'>): TokenOrigin {
  const { token, tokenFile, credentialsDirectory } = config;
  if (tokenFile !== undefined && (sources.tokenFile.kind === 'flag' || token === undefined))
    return { kind: 'file', path: tokenFile };
  if (token !== undefined) return { kind: 'variable', name: sources.token.name, token: token.reveal() };
  if (credentialsDirectory !== undefined)
    return { kind: 'credential', path: join(credentialsDirectory, 'token'), source: USUAL_FILE };
  return { kind: 'file', path: USUAL_FILE };
}

/** The broker's token; a file is read again on `reload`, so that a new token needs no restart. */
export class TokenSource {
  readonly #origin: TokenOrigin;
  readonly #uid: number;
  readonly #onToken: (token: string) => void;
  #token: string | undefined;

  /**
   * `uid` is the user that we run as; `onToken` is told of each token before anyone gets it, so that it can be
   * kept out of what is logged.
   */
  constructor(origin: TokenOrigin, uid: number, onToken: (token: string) => void) {
    this.#origin = origin;
    this.#uid = uid;
    this.#onToken = onToken;
  }

  /** The token as last read; reads it the first time. Throws as `reload` does. */
  async current(): Promise<string> {
    return this.#token ?? (await this.reload());
  }

  /** Reads the token anew; answers whether it is another one than before. Throws as `reload` does. */
  async renew(): Promise<boolean> {
    const before = this.#token;
    return (await this.reload()) !== before;
  }

  /**
   * Reads the token anew. Throws TOKEN_FILE_UNSAFE, TOKEN_MISSING or CONFIG_INVALID; `current` then still
   * answers what was read before.
   */
  async reload(): Promise<string> {
    const origin = this.#origin;
    const [text, where] =
      origin.kind === 'variable'
        ? [origin.token, origin.name]
        : [await readTokenFile(origin, this.#uid), `the token file ${origin.path}`];
    const token = checked(text, where);
    this.#onToken(token);
    this.#token = token;
    return token;
  }
}

function checked(text: string, where: string): string {
  const token = text.trim();
  if (token === '')
    throw new AgentError('TOKEN_MISSING', `${where} is empty`, { hint: 'write the broker’s token into it' });
  // It travels in a header: what is not printable ASCII without blanks would be refused there, or split it.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new AgentError('CONFIG_INVALID', `${where} holds something that is not one token`, {
      hint: 'write the token alone, in one line, without quotes or a user name',
    });
  if (/^["']|["']$/.test(token))
    throw new AgentError('CONFIG_INVALID', `${where} holds a token in quotes`, {
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
  // Asked of the open file, not of its name, so that nobody can swap it in between.
  const { mode, uid: owner, size } = await stat(file, path);
  if (origin.kind === 'file') {
    checkMode(mode, path);
    if (owner !== uid && owner !== 0)
      throw new AgentError('TOKEN_FILE_UNSAFE', `${path} belongs to another user (uid ${owner})`, {
        hint: `chown ${uid} ${path}`,
      });
  }
  if (size > MOST_BYTES)
    throw new AgentError('CONFIG_INVALID', `${path} is too large for a token (${size} bytes)`, {
      hint: 'name the file that holds the token and nothing else',
    });
  return file.readFile('utf8');
}

/** systemd copies a token for us whoever else may read it where it lies. */
async function checkSource(path: string): Promise<void> {
  const found = await statFile(path).catch(() => undefined);
  if (found !== undefined) checkMode(found.mode, path);
}

function checkMode(mode: number, path: string): void {
  if ((mode & 0o077) === 0) return;
  throw new AgentError('TOKEN_FILE_UNSAFE', `other users may use ${path} (mode ${octal(mode)})`, {
    hint: `chmod 600 ${path}`,
  });
}

async function stat(file: FileHandle, path: string) {
  const found = await file.stat();
  if (found.isFile()) return found;
  throw new AgentError('CONFIG_INVALID', `${path} is not a regular file`, {
    hint: 'name the file that holds the token',
  });
}

async function openTokenFile(path: string): Promise<FileHandle> {
  try {
    // Without waiting: a pipe without a writer would hold us for ever.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new AgentError('TOKEN_MISSING', `there is no token file ${path}`, {
        hint: 'write the token into it with mode 0600, or name another by --token-file',
        cause,
      });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('TOKEN_FILE_UNSAFE', `the token file ${path} cannot be read: ${reason}`, {
      hint: `make it readable for the user that the agent runs as, and for nobody else`,
      cause,
    });
  }
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
