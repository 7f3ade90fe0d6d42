import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { asStorageError } from '../domain/storage-error.ts';

const SOCKET = 'health.sock';
const MOST_TEXT = 400;

/** The answer of a daemon that lives: what it says of itself. */
export type HealthAnswer = { readonly status: string };

/** What comes of asking: a daemon's answer; `silent`: one is there and does not answer; `none`: none is there. */
export type Asked =
  | { readonly kind: 'alive'; readonly sign: HealthAnswer }
  | { readonly kind: 'silent' | 'none' };

const ANSWER = z.object({ status: z.string() });

/**
 * Answers whoever asks on a socket in the state directory, which only its holder may do. The answers come from the
 * event loop, so a process that hangs gives none; and nothing is written for them. Throws STATE_DIR_UNUSABLE.
 */
export async function serveHealth(stateDir: string, status: () => string): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    // Whoever asks may have gone, or stay: neither is waited for.
    socket.on('error', () => undefined);
    const sign: HealthAnswer = { status: status().slice(0, MOST_TEXT) };
    socket.end(JSON.stringify(sign), () => socket.destroy());
  });
  const directory = shortPath(stateDir);
  try {
    // One that a crash has left.
    rmSync(join(stateDir, SOCKET), { force: true });
    await listening(server, join(directory.path, SOCKET));
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

/** Repricer the daemon of a state directory whether it lives; it has `ms` milliseconds to answer. Throws STATE_DIR_UNUSABLE. */
export async function queryHealth(stateDir: string, ms: number): Promise<Asked> {
  if (!existsSync(stateDir)) return { kind: 'none' };
  const directory = shortPath(stateDir);
  try {
    const socket = connect(join(directory.path, SOCKET));
    socket.setTimeout(ms, () => socket.destroy(new Error('no answer')));
    let isThere = false;
    socket.once('connect', () => (isThere = true));
    try {
      return { kind: 'alive', sign: ANSWER.parse(JSON.parse(await text(socket))) };
    } catch {
      // Whatever else it was: nobody who answers is there.
      return { kind: isThere ? 'silent' : 'none' };
    }
  } finally {
    directory.close();
  }
}

/** The directory by a path that is short, since one of a socket may have 107 bytes only. Throws STATE_DIR_UNUSABLE. */
function shortPath(directory: string): { readonly path: string; close(): void } {
  try {
    const handle = openSync(directory, 'r');
    return { path: `/proc/self/fd/${handle}`, close: () => closeSync(handle) };
  } catch (cause) {
    throw asStorageError(cause, directory);
  }
}

async function listening(server: Server, path: string): Promise<void> {
  const { promise, reject, resolve } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(path, resolve);
  await promise;
}
