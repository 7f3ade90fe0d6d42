import { asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { AskCount, MarketHistory } from '../../domain/ports/market-history.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { inSlices } from '../../lib/slices.ts';
import { RETRY } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';
import type { RecordedOffer } from './recorded-offers.ts';

const HOUR_MS = 3_600_000;
/** What offers without a GPU are kept under. */
export const CPU_ASKS = 'cpu';

export type AskRecorderDeps = {
  readonly broker: Pick<Broker, 'offers'>;
  readonly history: Pick<MarketHistory, 'writeAsks'>;
  readonly offers: () => readonly RecordedOffer[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** Writes once an hour what others ask. */
export class AskRecorder {
  readonly #deps: AskRecorderDeps;
  readonly #problems = new OncePerChange();
  #dueAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(deps: AskRecorderDeps) {
    this.#deps = deps;
  }

  /** Polls if the hour has come. Throws STATE_DIR_UNUSABLE. */
  async poll(signal: AbortSignal): Promise<void> {
    const { broker, clock, history, log, random } = this.#deps;
    if (clock.monotonic() < this.#dueAt) return;
    let asks: readonly AskCount[];
    try {
      const own = new Set(this.#deps.offers().map(({ offer }) => offer.instance));
      const { items } = await broker.offers(signal);
      const at = clock.now();
      asks = items
        .filter(({ instance }) => instance === undefined || !own.has(instance))
        .map(({ askPrice, gpuName }) => ({ at, gpu: gpuName ?? CPU_ASKS, ask: askPrice, offers: 1 }));
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      this.#failures += 1;
      const waitMs = waitAfter(error, RETRY.marketPoll, this.#failures, random);
      this.#dueAt = clock.monotonic() + Math.max(waitMs, this.#failures > 3 ? HOUR_MS : 0);
      if (this.#problems.isNew(error.code))
        log.debug(
          { event: 'market-asks-failed', code: error.code },
          `asks of others not read: ${error.message}`,
        );
      return;
    }
    this.#failures = 0;
    this.#problems.forget('');
    await inSlices(history.writeAsks(asks));
    this.#dueAt = clock.monotonic() + HOUR_MS;
  }
}
