import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { asStorageError } from '../domain/storage-error.ts';
import { readSecretFile } from '../lib/own-file.ts';
import { LIMITS } from '../limits.ts';

/** The file in the state directory with the secret that sessions are made from; only the agent's user may read it. */
export const SESSIONS_FILE = 'page-sessions.json';

const SECRET_BYTES = 32;

const CONTENT = z.object({
  secret: z.base64url().length(43),
  /** Sessions that were signed out, until their cookies expire. */
  signedOut: z.array(z.object({ session: z.string(), until: z.number() })),
});

/** What makes and ends sessions, as it is on the disk. */
export class SessionStore {
  readonly #path: string;
  #read = false;
  #secret = randomBytes(SECRET_BYTES);
  #signedOut = new Map<string, number>();

  /** Reads and writes nothing yet. */
  constructor(stateDir: string) {
    this.#path = join(stateDir, SESSIONS_FILE);
  }

  /** The secret, which is made the first time. Throws STATE_DIR_UNUSABLE. */
  secret(): Buffer {
    if (this.#read) return this.#secret;
    const found = this.#load();
    if (found === undefined) this.#save();
    else {
      this.#secret = Buffer.from(found.secret, 'base64url');
      this.#signedOut = new Map(found.signedOut.map(({ session, until }) => [session, until]));
    }
    this.#read = true;
    return this.#secret;
  }

  isSignedOut(session: string): boolean {
    this.secret();
    return this.#signedOut.has(session);
  }

  /** Ends a session, whose last cookie expires at `until`. Throws STATE_DIR_UNUSABLE. */
  signOut(session: string, until: number, now: number): void {
    this.secret();
    for (const [old, end] of this.#signedOut) if (end <= now) this.#signedOut.delete(old);
    // None may come back because another one goes.
    if (this.#signedOut.size >= LIMITS.page.signedOut.max) return this.signOutAll();
    this.#signedOut.set(session, until);
    this.#save();
  }

  /** Ends every session. Throws STATE_DIR_UNUSABLE; all have ended for this process even then. */
  signOutAll(): void {
    this.#secret = randomBytes(SECRET_BYTES);
    this.#signedOut = new Map();
    this.#read = true;
    this.#save();
  }

  /** Undefined: there is none, or one that others could have read or written. */
  #load(): z.infer<typeof CONTENT> | undefined {
    try {
      const file = readSecretFile(this.#path, LIMITS.page.sessionsFile.max);
      if (file === undefined || !('text' in file)) return undefined;
      return CONTENT.safeParse(json(file.text)).data;
    } catch (cause) {
      throw asStorageError(cause, this.#path);
    }
  }

  /** Renamed when complete, and never through what is there, be it a pipe or a link. */
  #save(): void {
    const draft = `${this.#path}.new`;
    const content: z.input<typeof CONTENT> = {
      secret: this.#secret.toString('base64url'),
      signedOut: [...this.#signedOut].map(([session, until]) => ({ session, until })),
    };
    try {
      rmSync(draft, { force: true });
      writeFileSync(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx', flush: true });
      renameSync(draft, this.#path);
    } catch (cause) {
      throw asStorageError(cause, this.#path);
    }
  }
}

function json(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
