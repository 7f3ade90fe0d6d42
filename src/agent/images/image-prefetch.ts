import { asAgentError } from '../../domain/errors.ts';
import { choosePrefetch, type PrefetchCandidate } from '../../domain/image-prefetch.ts';
import { imageAllowed } from '../../domain/image-ref.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { DiskUse } from '../../domain/ports/host.ts';
import type { OwnPull } from '../../domain/ports/image-records.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';
import { inSlices, type Steps } from '../../lib/slices.ts';
import type { ImageInspector } from './image-inspector.ts';
import type { ImagePuller } from './image-puller.ts';
import { engineNameOf } from './image-uses.ts';

const CHECK_MS = 60_000;
/** An image that was evicted is not pulled ahead for so long, or disk and line would have no rest. */
const EVICTED_MS = 24 * 3_600_000;
/** What an image is taken to have while the agent has pulled none. */
const ASSUMED_BYTES = 5e9;

export type ImagePrefetchDeps = {
  readonly inspector: Pick<ImageInspector, 'pulls' | 'inspect'>;
  readonly images: Pick<ImagePuller, 'isPulling' | 'prefetch' | 'state'>;
  /** What runs wanted in past days, by canonical reference. */
  readonly wantedRefs: () => Iterable<string>;
  /** What an image is worth, by its canonical reference, in micro-dollars a day. */
  readonly valuePerDay: (ref: string) => number;
  /** Whether an offer may get jobs now: else the owner may want the line for something else. */
  readonly isOnMarket: () => boolean;
  /** The owner's image patterns. */
  readonly patterns: readonly string[];
  readonly disk: () => DiskUse | undefined;
  /** A part of the disk, 0 to 1. */
  readonly low: number;
  /** What pulling a byte costs, in micro-dollars. */
  readonly costPerByte: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
};

/** Pulls images that runs of past days wanted, before the next run does, while nothing else is pulled and the disk has room. */
export class ImagePrefetch {
  readonly #deps: ImagePrefetchDeps;

  constructor(deps: ImagePrefetchDeps) {
    this.#deps = deps;
  }

  /** Goes on until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (await sleep(CHECK_MS, signal)) {
      try {
        await this.#pullNext(signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const { code, message } = asAgentError(thrown);
        this.#deps.log.debug({ event: 'image-prefetch-failed', code }, `no image pulled ahead: ${message}`);
      }
    }
  }

  async #pullNext(signal: AbortSignal): Promise<void> {
    const { costPerByte, disk, images, log, low } = this.#deps;
    const use = disk();
    if (use === undefined || images.isPulling || !this.#deps.isOnMarket()) return;
    const roomBytes = use.freeBytes - (1 - low) * use.totalBytes;
    if (roomBytes <= 0) return;
    const chosen = choosePrefetch(await this.#candidates(signal), { costPerByte, roomBytes });
    // A run may have wanted an image meanwhile.
    if (chosen === undefined || images.isPulling || signal.aborted) return;
    const { bytes, ref, valuePerDay } = chosen;
    const fields = { event: 'image-prefetch', image: ref, bytes, valuePerDay: valuePerDay / 1e6 };
    log.info(fields, 'pulling an image ahead of the runs that will want it');
    images.prefetch(ref);
  }

  /** What runs wanted and this host has not. */
  async #candidates(signal: AbortSignal): Promise<readonly PrefetchCandidate[]> {
    const { inspector } = this.#deps;
    const [pulls, { images: stored }] = [await inspector.pulls(signal), await inspector.inspect(signal)];
    return inSlices(this.#choose(pulls, new Set(stored.flatMap(({ stored: { names } }) => names))));
  }

  *#choose(pulls: readonly OwnPull[], here: ReadonlySet<string>): Steps<readonly PrefetchCandidate[]> {
    const { clock, images, patterns, valuePerDay, wantedRefs } = this.#deps;
    const known = new Map(pulls.map((pull) => [pull.ref, pull]));
    const assumed = pulls.length === 0 ? ASSUMED_BYTES : sumOf(pulls) / pulls.length;
    const candidates: PrefetchCandidate[] = [];
    for (const ref of wantedRefs()) {
      const before = known.get(ref);
      const isEvicted = clock.now() - (before?.removedAt ?? Number.NEGATIVE_INFINITY) < EVICTED_MS;
      if (isEvicted || here.has(engineNameOf(ref)) || images.state(ref) !== 'missing') continue;
      if (!imageAllowed(ref, patterns)) continue;
      candidates.push({ ref, valuePerDay: valuePerDay(ref), bytes: before?.bytes ?? assumed });
      // The value takes some queries of the journal.
      yield 'long';
    }
    return candidates;
  }
}

function sumOf(pulls: readonly OwnPull[]): number {
  return pulls.reduce((sum, { bytes }) => sum + bytes, 0);
}
