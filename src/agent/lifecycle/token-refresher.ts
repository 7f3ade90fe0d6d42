import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';

/** While the broker refuses the token, its file is read again this often. */
const EVERY_MS = 2_000;

export type TokenRefresherDeps = {
  /** Reads the token again; answers whether it is another one than before. Throws where it cannot be read. */
  readonly reloadToken: () => Promise<boolean>;
  readonly log: Log;
  /** Notified when there is another token. */
  readonly renewed: Notifier;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
  /** How often the token is read again, in milliseconds; left out: every other second. */
  readonly everyMs?: number;
};

/** Reads the token again and again while the broker refuses it. */
export class TokenRefresher {
  readonly #deps: TokenRefresherDeps;
  #watching = false;
  #refused = false;

  constructor(deps: TokenRefresherDeps) {
    this.#deps = deps;
  }

  /** The broker has refused the token. */
  rejected(): void {
    this.#refused = true;
    if (!this.#watching) void this.#watch();
  }

  /** The broker has accepted the token. */
  accepted(): void {
    this.#refused = false;
  }

  async #watch(): Promise<void> {
    const { everyMs = EVERY_MS, log, reloadToken, renewed, signal } = this.#deps;
    this.#watching = true;
    let logged = '';
    // At once too: it may have been replaced before it was refused, and leases are short.
    do {
      try {
        if (!(await reloadToken())) continue;
        log.info({ event: 'token-renewed' }, 'token renewed');
        this.#refused = false;
        renewed.notify();
      } catch (thrown) {
        const { code, hint, message } = asAgentError(thrown);
        const fields = { event: 'token-unreadable', code, hint };
        if (message !== logged) log.warn(fields, `token not read again: ${message}`);
        logged = message;
      }
    } while (this.#refused && (await sleep(everyMs, signal)));
    this.#watching = false;
  }
}
