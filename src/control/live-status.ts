import { type EncodedItem, encodeItem } from '../control-api/encoded-item.ts';
import type { Status } from '../control-api/status-schema.ts';
import { VIEWS } from '../control-api/views.ts';
import { Notifier } from '../lib/notifier.ts';
import { sleep } from '../lib/sleep.ts';

/** How often the status is computed while somebody looks. */
const EVERY_MS = 1_000;
/** So long after the last one a status is sent although nothing has changed, so that a reader knows that it is not cut off. */
const REPEAT_MS = 15_000;

export type LiveStatusDeps = {
  /** Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
  readonly status: () => Status;
  /** The `seq` of the last event. */
  readonly lastSeq: () => number;
  readonly clock: { monotonic(): number };
};

/** The status for all who look: computed and encoded once a second, however many they are, and not at all for nobody. */
export class LiveStatus {
  /** Notified with each new one, and when none can be computed. */
  readonly changed = new Notifier();
  readonly #deps: LiveStatusDeps;
  #latest: EncodedItem | undefined;
  #failure: { readonly cause: unknown } | undefined;
  #comparable = '';
  #computedAt = Number.NEGATIVE_INFINITY;
  #sentAt = Number.NEGATIVE_INFINITY;
  #readers = 0;
  #noReaders = new AbortController();

  constructor(deps: LiveStatusDeps) {
    this.#deps = deps;
  }

  /** The status as it was last computed, for those who look. Throws what the computation throws. */
  get latest(): EncodedItem | undefined {
    if (this.#failure !== undefined) throw this.#failure.cause;
    return this.#latest;
  }

  /** Keeps the status fresh until the result is disposed of. */
  watch(): Disposable {
    this.#readers += 1;
    if (this.#readers === 1) {
      this.#noReaders = new AbortController();
      void this.#work(this.#noReaders.signal);
    }
    return {
      [Symbol.dispose]: () => {
        this.#readers -= 1;
        if (this.#readers === 0) this.#noReaders.abort();
      },
    };
  }

  async #work(signal: AbortSignal): Promise<void> {
    do {
      if (this.#deps.clock.monotonic() - this.#computedAt >= EVERY_MS) this.#compute();
    } while (await sleep(this.#nextInMs(), signal));
  }

  #nextInMs(): number {
    return Math.max(this.#computedAt + EVERY_MS - this.#deps.clock.monotonic(), 1);
  }

  #compute(): void {
    const { clock, lastSeq, status } = this.#deps;
    const now = clock.monotonic();
    this.#computedAt = now;
    try {
      const next = status();
      const comparable = JSON.stringify(withoutClocks(next));
      const isRepeated = now - this.#sentAt >= REPEAT_MS;
      if (this.#failure === undefined && comparable === this.#comparable && !isRepeated) return;
      const seq = lastSeq();
      this.#latest = encodeItem(VIEWS.live, { kind: 'status', seq, status: next }, seq);
      this.#comparable = comparable;
      this.#failure = undefined;
    } catch (cause) {
      this.#failure = { cause };
    }
    this.#sentAt = now;
    this.changed.notify();
  }
}

/** A status without what counts on by itself. Pure. */
export function withoutClocks(status: Status): object {
  const { agent, at: _at, targets, ...more } = status;
  return {
    ...more,
    agent: agent && { ...agent, upMs: 0 },
    targets: targets.map(({ figures, jobs, ...target }) => ({
      ...target,
      figures: figures && { ...figures, at: 0 },
      jobs: jobs.map(({ ranMs, earned: _earned, ...job }) => ({ ...job, hasRun: ranMs !== null })),
    })),
  };
}
