import type { Clock } from '../../domain/ports/clock.ts';
import { readableDuration } from '../../lib/readable.ts';
import type { Observer, SlowCalls } from '../events/events.ts';

/** From how many milliseconds on a call is slow. On a healthy host it takes a tenth of that, also under load. */
const SLOW_MS = {
  ping: 1_000,
  'find image': 1_000,
  create: 5_000,
  start: 10_000,
  list: 5_000,
} as const;

/** A kind of call to the engine whose time is taken. */
export type TimedCall = keyof typeof SLOW_MS;

/** The engine counts as slow from so many slow calls on among the last KEPT, and until none of these is slow. */
const SLOW_CALLS = 2;
const KEPT = 50;
/** Older calls say nothing about now. */
const KEPT_MS = 900_000;

type Sample = { readonly call: TimedCall; readonly at: number; readonly ms: number };

export const SLOW_ENGINE_HINT =
  'find what slows Docker down: its disk (iostat -x), memory, many containers or images (docker system df), its log (journalctl -u docker)';

/** Times the calls to the engine. A slow engine is not a dead one: jobs run, and the log says so. */
export class EngineLatency {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #observe: Observer;
  #samples: readonly Sample[] = [];
  #isDegraded = false;

  constructor(deps: { readonly clock: Pick<Clock, 'monotonic'>; readonly observe: Observer }) {
    this.#clock = deps.clock;
    this.#observe = deps.observe;
  }

  /** What is slow, in words; undefined: nothing is. */
  get degraded(): string | undefined {
    return this.#isDegraded ? describe(this.#slow()) : undefined;
  }

  /** Times a call, however it ends. */
  async time<T>(call: TimedCall, work: Promise<T>): Promise<T> {
    const began = this.#clock.monotonic();
    try {
      return await work;
    } finally {
      this.#add({ call, at: began, ms: this.#clock.monotonic() - began });
    }
  }

  #add(sample: Sample): void {
    const after = this.#clock.monotonic() - KEPT_MS;
    this.#samples = [...this.#samples.filter(({ at }) => at > after).slice(1 - KEPT), sample];
    const slow = this.#slow();
    const count = slow.reduce((sum, one) => sum + one.slow, 0);
    // Containers are listed so rarely that one slow list is enough.
    const isSlow = count >= SLOW_CALLS || slow.some(({ call }) => call === 'list');
    if (!this.#isDegraded && isSlow) {
      this.#isDegraded = true;
      this.#observe({ kind: 'engine-degraded', why: describe(slow), slow, hint: SLOW_ENGINE_HINT });
    } else if (this.#isDegraded && count === 0) {
      this.#isDegraded = false;
      this.#observe({ kind: 'engine-recovered' });
    }
  }

  #slow(): readonly SlowCalls[] {
    const kinds = Map.groupBy(this.#samples, ({ call }) => call);
    return [...kinds].flatMap(([call, samples]) => {
      const slow = samples.filter(({ ms }) => ms >= SLOW_MS[call]).length;
      const maxMs = Math.round(Math.max(...samples.map(({ ms }) => ms)));
      return slow === 0 ? [] : [{ call, slow, of: samples.length, maxMs }];
    });
  }
}

function describe(slow: readonly SlowCalls[]): string {
  const figures = slow.map(
    ({ call, maxMs, of, slow: count }) =>
      `${call} up to ${readableDuration(maxMs)} (${count} of ${of} calls)`,
  );
  return `Docker is slow: ${figures.join(', ')}`;
}
