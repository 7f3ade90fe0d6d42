import { asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Sessions } from '../../domain/ports/sessions.ts';
import type { Sign } from '../../domain/presence.ts';
import { activitySign } from '../../domain/session.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';

/** How often the sessions are read: signals of the bus get lost. */
const INTERVAL_MS = 5_000;
/** A host without logind is asked again after so long. */
const ABSENT_MS = 600_000;

export type SessionActivityDeps = { readonly sessions: Sessions; readonly clock: Clock; readonly log: Log };

/** Whether somebody is active in a session of this host. */
export class SessionActivity {
  /** Notified with every answer. */
  readonly changed = new Notifier();
  readonly #deps: SessionActivityDeps;
  #isWatched = false;
  #rewatch = new Notifier();
  #sign: Sign | undefined;
  readonly #problem = new OncePerChange();

  constructor(deps: SessionActivityDeps) {
    this.#deps = deps;
  }

  /** Undefined: this host does not say. One whose answers fail once they have come is unknown. */
  sign(): Sign | undefined {
    return this.#sign;
  }

  watch(isWatched: boolean): void {
    if (isWatched === this.#isWatched) return;
    this.#isWatched = isWatched;
    this.#rewatch.notify();
  }

  /** Goes on until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.#isWatched) {
        this.#sign = undefined;
        await this.#rewatch.wait(signal);
        continue;
      }
      const isKnown = await this.#read(signal);
      await sleep(isKnown ? INTERVAL_MS : ABSENT_MS, signal, this.#rewatch.next);
    }
  }

  /** Answers whether the host has sessions to read. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const { clock, log, sessions } = this.#deps;
    try {
      const found = await sessions.read(signal);
      this.#sign = found && activitySign(found, clock.now());
      if (this.#problem.forget(''))
        log.info({ event: 'sessions-readable' }, 'the sessions of this host are read again');
      this.changed.notify();
      return found !== undefined;
    } catch (thrown) {
      if (signal.aborted) return true;
      const { code, hint, message } = asAgentError(thrown);
      if (this.#sign !== undefined) this.#sign = { source: 'activity', state: 'unknown', what: message };
      if (this.#problem.isNew(message)) log.warn({ event: 'sessions-unreadable', code, hint }, message);
      this.changed.notify();
      return true;
    }
  }
}
