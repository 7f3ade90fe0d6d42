import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Moment } from '../domain/moment.ts';
import { asStorageError } from './sqlite-failure.ts';

const FILE = 'alive.json';
/** Written over in place, so that a full disk is no reason to look dead. */
const BYTES = 1024;
const MOST_TEXT = 400;

/** The last sign of life that a daemon has left in its state directory. */
export type SignOfLife = {
  readonly pid: number;
  /** What the daemon said of itself. */
  readonly status: string;
  /** Milliseconds since it was left, by the host's uptime; undefined: before the last reboot. */
  readonly ageMs: number | undefined;
};

const WRITTEN = z.object({ pid: z.number(), boot: z.string(), upMs: z.number(), status: z.string() });

/** Leaves signs of life in a state directory; one daemon's, from its start to its end. */
export class Heartbeat {
  readonly #file: number;
  readonly #moment: () => Moment;
  #closed = false;

  /** Throws STATE_DIR_UNUSABLE where the file cannot be made. */
  constructor(stateDir: string, moment: () => Moment) {
    this.#file = opened(join(stateDir, FILE), stateDir);
    this.#moment = moment;
  }

  /** Says that the daemon lives, and how it is. Answers whether that could be written. */
  beat(status: string): boolean {
    if (this.#closed) return false;
    const { boot, upMs } = this.#moment();
    const sign = { pid: process.pid, boot, upMs, status: status.slice(0, MOST_TEXT) };
    try {
      // A shorter text must leave nothing of a longer one behind.
      writeSync(this.#file, Buffer.from(JSON.stringify(sign).padEnd(BYTES)), 0, undefined, 0);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#file);
  }
}

/** The last sign of life in a state directory; undefined where there is none that can be read. */
export function lastSign(stateDir: string, now: Moment): SignOfLife | undefined {
  const written = WRITTEN.safeParse(readJson(join(stateDir, FILE)));
  if (!written.success) return undefined;
  const { boot, pid, status, upMs } = written.data;
  return { pid, status, ageMs: boot === now.boot ? Math.max(0, now.upMs - upMs) : undefined };
}

function opened(file: string, stateDir: string): number {
  try {
    return openSync(file, 'w', 0o600);
  } catch (cause) {
    throw asStorageError(cause, stateDir);
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
