import type { Clock } from '../../domain/ports/clock.ts';
import type { PullProgress } from '../../domain/ports/runtime.ts';
import type { PullStatus } from '../../domain/pull-status.ts';
import type { Observer } from '../events/events.ts';

type Sample = { readonly at: number; readonly doneBytes: number };

type Pull = {
  progress: PullProgress;
  samples: readonly Sample[];
  nextLineAt: number;
  waitMs: number;
  quarter: number;
};

const SAMPLE_EVERY_MS = 1_000;
const SAMPLES = 10;
/** The first line about a pull comes after this, the next ones after ever longer waits. */
const FIRST_LINE_MS = 10_000;
const MAX_LINE_MS = 60_000;

/** Knows how far all pulls are, and reports each of them now and then: ever more rarely, and at each quarter. */
export class PullMonitor {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #observe: Observer;
  readonly #onward: (progress: PullProgress) => void;
  readonly #pulls = new Map<string, Pull>();

  /** `onward` is given each step too. */
  constructor(
    clock: Pick<Clock, 'monotonic'>,
    observe: Observer,
    onward: (progress: PullProgress) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#observe = observe;
    this.#onward = onward;
  }

  /** The pulls that go on, in the order of their beginnings. */
  get pulls(): readonly PullStatus[] {
    const now = this.#clock.monotonic();
    return [...this.#pulls].map(([image, pull]) => statusOf(image, pull, now));
  }

  /** Takes each step of a pull. */
  report(progress: PullProgress): void {
    const { doneBytes, finished, ref } = progress;
    this.#onward(progress);
    if (finished) return void this.#pulls.delete(ref);
    const now = this.#clock.monotonic();
    let pull = this.#pulls.get(ref);
    if (pull === undefined) {
      pull = { progress, samples: [], nextLineAt: now + FIRST_LINE_MS, waitMs: FIRST_LINE_MS, quarter: 0 };
      this.#pulls.set(ref, pull);
    }
    pull.progress = progress;
    if (now - (pull.samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= SAMPLE_EVERY_MS)
      pull.samples = [...pull.samples, { at: now, doneBytes }].slice(-SAMPLES);
    this.#maybeLog(ref, pull, now);
  }

  #maybeLog(ref: string, pull: Pull, now: number): void {
    const { doneBytes, totalBytes, unknownLayers } = pull.progress;
    const isLong = pull.waitMs > FIRST_LINE_MS;
    const quarter = unknownLayers > 0 || totalBytes === 0 ? 0 : Math.floor((4 * doneBytes) / totalBytes);
    // A pull that ends within seconds needs no line.
    const isNext = isLong && quarter > pull.quarter && quarter < 4;
    if (!isNext && now < pull.nextLineAt) return;
    pull.quarter = Math.max(quarter, pull.quarter);
    pull.waitMs = Math.min(2 * pull.waitMs, MAX_LINE_MS);
    pull.nextLineAt = now + pull.waitMs;
    this.#observe({ kind: 'image-pulling', ...statusOf(ref, pull, now) });
  }
}

function statusOf(image: string, { progress, samples }: Pull, now: number): PullStatus {
  const { doneBytes, totalBytes, unknownLayers } = progress;
  const [first = { at: now, doneBytes }] = samples;
  const seconds = (now - first.at) / 1000;
  const bytesPerSecond = seconds > 0 ? (doneBytes - first.doneBytes) / seconds : 0;
  const isKnown = unknownLayers === 0 && bytesPerSecond > 0 && doneBytes < totalBytes;
  return {
    image,
    doneBytes,
    totalBytes,
    unknownLayers,
    bytesPerSecond: Math.round(bytesPerSecond),
    secondsLeft: isKnown ? Math.ceil((totalBytes - doneBytes) / bytesPerSecond) : undefined,
  };
}
