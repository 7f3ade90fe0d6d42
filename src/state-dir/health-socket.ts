import { chmodSync, closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { asStorageError } from '../domain/storage-error.ts';
import { LIMITS } from '../limits.ts';

const SOCKET = 'health.sock';

/**
 * What the agent does, and why it can claim no job; `why` is null where it can, as far as this host is concerned. `hint` is
 * for `why`, or else for `degraded`.
 */
export type HealthReport = {
  readonly status: string;
  readonly why: string | null;
  readonly hint: string | null;
  /** What makes jobs slow; null where nothing does. */
  readonly degraded: string | null;
};

/** The health of the daemon on a state directory; `silent`: it runs but does not answer; `none`: none runs. */
export type Health = ({ readonly kind: 'alive' } & HealthReport) | { readonly kind: 'silent' | 'none' };

const TEXT = z.string().nullable().default(null);
const ANSWER = z.object({ status: z.string(), why: TEXT, hint: TEXT, degraded: TEXT });

/**
 * Answers health queries on a socket in a state directory that this process has locked. A process that hangs does not answer,
 * because the event loop does. Throws STATE_DIR_UNUSABLE.
 */
export async function serveHealth(stateDir: string, report: () => HealthReport): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    // The client may have disconnected.
    socket.on('error', () => undefined);
    const { degraded, hint, status, why } = report();
    const short = (text: string | null): string | null => text?.slice(0, LIMITS.log.health.max) ?? null;
    const answer: HealthReport = {
      status: status.slice(0, LIMITS.log.health.max),
      why: short(why),
      hint: short(hint),
      degraded: short(degraded),
    };
    socket.end(JSON.stringify(answer), () => socket.destroy());
  });
  const directory = shortPath(stateDir);
  try {
    // A crash may have left one.
    rmSync(join(stateDir, SOCKET), { force: true });
    await listen(server, join(directory.path, SOCKET));
    // Whatever the umask of this process is.
    chmodSync(join(stateDir, SOCKET), 0o600);
  } catch (cause) {
    directory.close();
    throw asStorageError(cause, join(stateDir, SOCKET));
  }
  return {
    [Symbol.asyncDispose]: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
      directory.close();
    },
  };
}

/** Queries the daemon on a state directory, which has `ms` milliseconds to answer. Throws STATE_DIR_UNUSABLE. */
export async function queryHealth(stateDir: string, ms: number): Promise<Health> {
  if (!existsSync(stateDir)) return { kind: 'none' };
  const directory = shortPath(stateDir);
  try {
    const socket = connect(join(directory.path, SOCKET));
    socket.setTimeout(ms, () => socket.destroy(new Error('no answer')));
    let connected = false;
    socket.once('connect', () => (connected = true));
    try {
      return { kind: 'alive', ...ANSWER.parse(JSON.parse(await textOf(socket))) };
    } catch {
      // Refused, closed or timed out: the kind of failure does not matter.
      return { kind: connected ? 'silent' : 'none' };
    }
  } finally {
    directory.close();
  }
}

/** Throws where the agent sends more than an answer. */
async function textOf(socket: Socket): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of socket) {
    if (!(chunk instanceof Uint8Array)) throw new Error('the answer is not bytes');
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LIMITS.host.healthAnswer.max) throw new Error('the answer is too long');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A short path of the directory, because a socket's path is limited to 107 bytes. Throws STATE_DIR_UNUSABLE. */
function shortPath(directory: string): { readonly path: string; close(): void } {
  try {
    const handle = openSync(directory, 'r');
    return { path: `/proc/self/fd/${handle}`, close: () => closeSync(handle) };
  } catch (cause) {
    throw asStorageError(cause, directory);
  }
}

async function listen(server: Server, path: string): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
}
