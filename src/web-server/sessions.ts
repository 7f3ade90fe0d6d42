import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Right } from '../control-api/sockets.ts';
import { AgentError } from '../domain/errors.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import { Notifier } from '../lib/notifier.ts';
import { digestOf, isSameSecret } from '../lib/same-secret.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import { LIMITS } from '../limits.ts';
import type { SessionStore } from './session-store.ts';

/** Somebody who looks at the page. */
export type Session = {
  readonly id: string;
  readonly rights: readonly Right[];
  /** For the record of changes: who, as far as that is known, and that it was on the page. */
  readonly by: string;
  readonly expiresAt: number;
};

/** A session with what a browser has to keep of it: a cookie, and a key for the storage of the page's own origin. */
export type OpenedSession = Session & { readonly cookie: string; readonly key: string };

/** How long a link may be used, once. */
const LINK_MS = 120_000;
/** How long a session lasts that nobody uses, and how old its cookie gets before it is renewed. */
export const SESSION_MS = 30 * 86_400_000;
const RENEW_MS = 86_400_000;
/** Passwords that may be tried at once, and then one in ten seconds; of all callers together. */
const TRIES = 10;
const TRIES_PER_SECOND = 0.1;

const PAYLOAD = z.object({
  id: z.string(),
  control: z.boolean(),
  by: z.string(),
  how: z.enum(['link', 'password']),
  /** When the cookie was made. */
  at: z.number(),
});
type Payload = z.infer<typeof PAYLOAD>;
type Link = { readonly rights: readonly Right[]; readonly by: string; readonly until: number };

/**
 * Makes sessions from links and passwords, and knows them again, also after a restart: cookie and key are signed by the
 * store's secret. Links are kept in memory only, so that none works twice.
 */
export class Sessions {
  readonly #store: SessionStore;
  readonly #clock: Pick<HostClock, 'monotonic' | 'now'>;
  readonly #links = new Map<string, Link>();
  readonly #tries: TokenBucket;
  #password: Buffer | undefined;
  /** Announces sessions that end: one by its id, or all where that is undefined. */
  readonly ended = new Notifier<string | undefined>();

  constructor(store: SessionStore, clock: Pick<HostClock, 'monotonic' | 'now'>) {
    this.#store = store;
    this.#clock = clock;
    this.#tries = new TokenBucket(TRIES, () => clock.monotonic());
  }

  /** Whether one may sign in by a password. */
  get takesPassword(): boolean {
    return this.#password !== undefined;
  }

  /** Takes another password from now on; sessions by the one before end. */
  setPassword(password: string | undefined): void {
    const next = password === undefined ? undefined : digestOf(password);
    const isSame = next === undefined ? this.#password === undefined : this.#password?.equals(next) === true;
    this.#password = next;
    if (!isSame) this.ended.notify(undefined);
  }

  /** A token that opens one session, and until when. */
  link(rights: readonly Right[], by: string): { readonly token: string; readonly expiresAt: number } {
    const [oldest] = this.#links.keys();
    if (this.#links.size >= LIMITS.page.links.max && oldest !== undefined) this.#links.delete(oldest);
    const token = randomBytes(24).toString('base64url');
    this.#links.set(nameOf(token), { rights, by, until: this.#clock.monotonic() + LINK_MS });
    return { token, expiresAt: this.#clock.now() + LINK_MS };
  }

  /** Opens the session of a link, which is used up by that. Throws SIGN_IN_REFUSED, STATE_DIR_UNUSABLE. */
  byLink(token: string): OpenedSession {
    const name = nameOf(token);
    const link = this.#links.get(name);
    this.#links.delete(name);
    if (link === undefined || link.until <= this.#clock.monotonic())
      throw new AgentError('SIGN_IN_REFUSED', 'this link was used, is too old, or is none');
    return this.#open({ control: link.rights.includes('control'), by: link.by, how: 'link' });
  }

  /** Opens a session by the password. Throws SIGN_IN_REFUSED, SIGN_IN_LIMITED, STATE_DIR_UNUSABLE. */
  byPassword(password: string): OpenedSession {
    if (this.#password === undefined)
      throw new AgentError('SIGN_IN_REFUSED', 'this agent has no password for its page');
    if (!this.#tries.takeOne(TRIES_PER_SECOND))
      throw new AgentError('SIGN_IN_LIMITED', 'too many wrong passwords were tried');
    if (!timingSafeEqual(digestOf(password), this.#password))
      throw new AgentError('SIGN_IN_REFUSED', 'the password is wrong', {
        hint: 'see the file that --listen-password-file names, or open the page with: sharedcloud-agent page',
      });
    this.#tries.take(-1, TRIES_PER_SECOND);
    return this.#open({ control: true, by: 'password', how: 'password' });
  }

  /** The session of a cookie and its key; both are needed. `renewed`: the cookie that takes the place of an old one. */
  find(
    cookies: readonly string[],
    key: string | undefined,
  ): (Session & { readonly renewed?: string }) | undefined {
    if (key === undefined) return undefined;
    for (const cookie of cookies) {
      const payload = this.#payloadOf(cookie);
      if (payload === undefined || !isSameSecret(key, this.#keyOf(payload))) continue;
      if (this.#store.isSignedOut(payload.id)) continue;
      const now = this.#clock.now();
      const session = sessionOf(payload);
      if (session.expiresAt <= now) continue;
      if (now - payload.at < RENEW_MS) return session;
      const later = { ...payload, at: now };
      return { ...sessionOf(later), renewed: this.#cookieOf(later) };
    }
    return undefined;
  }

  /** Throws STATE_DIR_UNUSABLE. */
  signOut({ id }: Pick<Session, 'id'>): void {
    const now = this.#clock.now();
    this.#store.signOut(id, now + SESSION_MS, now);
    this.ended.notify(id);
  }

  /** Ends every session and link. Throws STATE_DIR_UNUSABLE. */
  signOutAll(): void {
    this.#links.clear();
    this.ended.notify(undefined);
    this.#store.signOutAll();
  }

  /** The name of the cookie: browsers share cookies between ports, and each agent needs its own. */
  get cookieName(): string {
    return `sharedcloud-${this.#sign('name', '').slice(0, 8)}`;
  }

  #open(made: Pick<Payload, 'by' | 'control' | 'how'>): OpenedSession {
    const payload = { ...made, id: randomBytes(9).toString('base64url'), at: this.#clock.now() };
    return { ...sessionOf(payload), cookie: this.#cookieOf(payload), key: this.#keyOf(payload) };
  }

  #payloadOf(cookie: string): Payload | undefined {
    const [text = '', signature = ''] = cookie.split('.', 2);
    for (const how of PAYLOAD.shape.how.options) {
      if (!isSameSecret(signature, this.#signature(text, how))) continue;
      const payload = PAYLOAD.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
      return payload.how === how ? payload : undefined;
    }
    return undefined;
  }

  #cookieOf(payload: Payload): string {
    const text = Buffer.from(JSON.stringify(payload)).toString('base64url');
    return `${text}.${this.#signature(text, payload.how)}`;
  }

  /** That of a session by password ends with the password. */
  #signature(text: string, how: Payload['how']): string {
    const password = how === 'password' ? (this.#password?.toString('hex') ?? '') : '';
    return this.#sign(`cookie ${how} ${password}`, text);
  }

  #keyOf({ id }: Payload): string {
    return this.#sign('key', id);
  }

  #sign(what: string, text: string): string {
    return createHmac('sha256', this.#store.secret()).update(`${what}\0${text}`).digest('base64url');
  }
}

function sessionOf({ at, by, control, how, id }: Payload): Session {
  const who = how === 'link' ? by : 'somebody with the password';
  return {
    id,
    rights: control ? ['read', 'control'] : ['read'],
    by: `${who}, on the page`,
    expiresAt: at + SESSION_MS,
  };
}

/** By its digest, so that no comparison takes a time that depends on the token. */
function nameOf(token: string): string {
  return digestOf(token).toString('hex');
}
