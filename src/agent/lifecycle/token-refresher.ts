import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';

/** While the broker refuses the token, its file is read again this often. */
const EVERY_MS = 2_000;

export type TokenRefresherDeps = {
  /** Reads the token again; answers whether it is another one than before. Throws where it cannot be read. */
  readonly reloadToken: () => Promise<boolean>;
  readonly log: Log;
  /** Called when there is another token: what was refused is worth another try. */
  readonly onNew: () => void;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
  /** How often the token is read again, in milliseconds; left out: every other second. */
  readonly everyMs?: number;
};

/** Notices soon when a token that the broker refuses is replaced. */
export class TokenRefresher {
  readonly #deps: TokenRefresherDeps;
  #watching = false;
  #refused = false;

  constructor(deps: TokenRefresherDeps) {
    this.#deps = deps;
  }

  /** The broker has refused the token: it is read again and again from now on. */
  rejected(): void {
    this.#refused = true;
    if (!this.#watching) void this.#watch();
  }

  /** The broker takes the token. */
  accepted(): void {
    this.#refused = false;
  }

  async #watch(): Promise<void> {
    const { everyMs = EVERY_MS, log, onNew, reloadToken, signal } = this.#deps;
    this.#watching = true;
    let said = '';
    // At once too: perhaps it was replaced before it was refused, and leases are short.
    do {
      try {
        if (!(await reloadToken())) continue;
        log.info({}, 'there is another token now');
        this.#refused = false;
        onNew();
      } catch (thrown) {
        const { code, hint, message } = asAgentError(thrown);
        if (message !== said) log.warn({ code, hint }, `the token cannot be read again: ${message}`);
        said = message;
      }
    } while (this.#refused && (await sleep(everyMs, signal)));
    this.#watching = false;
  }
}
