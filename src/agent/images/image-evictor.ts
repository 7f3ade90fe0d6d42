import { asAgentError } from '../../domain/errors.ts';
import {
  type EvictionPlan,
  type EvictionReason,
  type HeldImage,
  type ImageDisk,
  type KeepReason,
  marksOf,
  planEvictionInSteps,
} from '../../domain/image-eviction.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { DiskUse } from '../../domain/ports/host.ts';
import type { ImageStore, StoredImage } from '../../domain/ports/runtime.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { inSlices, type Steps } from '../../lib/slices.ts';
import type { Observer } from '../events/events.ts';
import type { ImageInspector, InspectedImage, Inspection } from './image-inspector.ts';
import type { CollectorPlan, ImageCollector } from './image-keeping.ts';
import type { ImagePuller } from './image-puller.ts';
import type { ImageUses } from './image-uses.ts';

/** How often the disk is looked at. */
const CHECK_MS = 60_000;
/** After an eviction that did not free enough, the next one is not tried sooner: a pull asks each second. */
const FUTILE_MS = 10_000;
/** After an eviction that the disk does not show at all: the images may be on another disk. */
const VAIN_MS = 30 * 60_000;
/** The part of the freed bytes that the disk shows at least, whatever else is written meanwhile. */
const SHOWN_PART = 0.1;
/** How long an image that the engine would not remove counts as in use, so that the next one goes in its place. */
const REFUSED_MS = 10 * 60_000;
/** How often in a row others are chosen where none of the chosen ones could go. */
const MAX_ROUNDS = 3;

export type ImageEvictorDeps = {
  readonly store: Pick<ImageStore, 'remove'>;
  readonly inspector: Pick<ImageInspector, 'gone' | 'inspect' | 'isNeeded' | 'isPinned' | 'noteGone'>;
  readonly uses: ImageUses;
  readonly images: Pick<ImagePuller, 'forgetNames'>;
  /** The disk of the engine's images; undefined: unknown, and nothing is evicted. */
  readonly disk: () => DiskUse | undefined;
  /** Parts of the disk, 0 to 1. */
  readonly high: number;
  readonly low: number;
  readonly minFreeBytes: number;
  /** The images that open runs want now, by the names that engines have of them. */
  readonly wanted: () => Steps<ReadonlySet<string>>;
  /** Ends what makes the disk fuller and can wait. */
  readonly makeWay: () => void;
  readonly clock: Pick<Clock, 'monotonic' | 'now'>;
  readonly log: Log;
  readonly observe: Observer;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/** Why images have to go, and how full the disk is or will be; `freeBytes` is what is free now. */
type Need = { readonly reason: EvictionReason; readonly disk: ImageDisk; readonly freeBytes: number };

/**
 * Keeps the engine's disk below a mark by removing the agent's own images, the least valuable first, one at a time. What the
 * agent did not pull stays, however full the disk is.
 */
export class ImageEvictor implements ImageCollector {
  readonly #deps: ImageEvictorDeps;
  readonly #checkNow = new Notifier();
  #underWay: Promise<void> | undefined;
  /** When an eviction last did not free enough, by the monotonic clock. */
  #futileAt = Number.NEGATIVE_INFINITY;
  #notedAt = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  #hasSaidVain = false;
  /** What the last eviction freed, and what was free before it. */
  #last: { readonly at: number; readonly freeBytes: number; readonly freedBytes: number } | undefined;
  /** The images, by id, that the engine would not remove: they count as in use until the next try. */
  readonly #refused: BackoffMap<undefined>;

  constructor(deps: ImageEvictorDeps) {
    this.#deps = deps;
    this.#refused = new BackoffMap(() => deps.clock.monotonic());
  }

  /** Looks at the disk now and then until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.makeRoom(0);
      await this.#noteGone(signal);
      await this.#checkNow.wait(signal, CHECK_MS);
    }
  }

  /** Looks at the disk, and makes room in the background where it is too full. */
  soon(): void {
    if (this.#need(0) !== undefined) this.#checkNow.notify();
  }

  /** Removes images where the disk is too full, or would be after pulls of so many bytes. Never throws. */
  async makeRoom(pendingBytes: number): Promise<void> {
    if (this.#underWay !== undefined) return this.#underWay;
    if (this.#need(pendingBytes) === undefined) return;
    this.#deps.makeWay();
    if (this.#deps.clock.monotonic() - this.#futileAt < FUTILE_MS || this.#isVain()) return;
    await this.#alone(() => this.#tryToEvict(pendingBytes));
  }

  /** What goes and what stays by the marks in force, or down to the low mark from wherever the disk is. Removes nothing. */
  async plan(until: 'marks' | 'low', signal: AbortSignal): Promise<CollectorPlan> {
    return (await this.#planFor(until, signal)).planned;
  }

  /** Removes images down to the low mark. Answers the disk before, what has gone, and why the others stay. */
  async collect(signal: AbortSignal): Promise<CollectorPlan> {
    while (this.#underWay !== undefined) await this.#underWay;
    let collected: CollectorPlan | undefined;
    await this.#alone(async () => {
      const { planned, inspection } = await this.#planFor('low', signal);
      const { disk, plan } = planned;
      const why = { reason: 'owner', pendingBytes: 0, low: disk?.low ?? 1 } as const;
      const evicted = await this.#remove(inspection, plan.evicted, why);
      const stayed = plan.evicted.filter((one) => !evicted.includes(one));
      const kept = [...plan.kept, ...stayed.map(({ image }) => ({ image, reason: this.#whyStayed(image) }))];
      collected = { ...planned, plan: { evicted, kept } };
    });
    return collected ?? this.plan('low', signal);
  }

  async #planFor(
    until: 'marks' | 'low',
    signal: AbortSignal,
  ): Promise<{ readonly planned: CollectorPlan; readonly inspection: Inspection }> {
    const { clock } = this.#deps;
    const wanted = await inSlices(this.#deps.wanted());
    const inspection = await this.#inspect(signal);
    const disk = this.#diskAfter(0);
    const images = inspection.images.map((one) => ({ ...one, held: unlessWanted(one, wanted) }));
    const held = images.map((one) => one.held);
    const marked = disk && until === 'low' ? { ...disk, high: disk.low } : disk;
    const plan = await inSlices(planEvictionInSteps(held, marked ?? UNKNOWN_DISK, clock.now()));
    return { inspection, planned: { disk, images, plan } };
  }

  /** The images, with those as in use that the engine would not remove a while ago. */
  async #inspect(signal: AbortSignal): Promise<Inspection> {
    const inspection = await this.#deps.inspector.inspect(signal);
    const here = new Set(inspection.images.map(({ stored }) => stored.id));
    this.#refused.retain((id) => here.has(id));
    const images = inspection.images.map((one) =>
      this.#isRefused(one.stored.id) ? { ...one, held: { ...one.held, hasContainer: true } } : one,
    );
    return { ...inspection, images };
  }

  /** Why an image is here that was chosen to go. */
  #whyStayed({ id }: HeldImage): KeepReason {
    return this.#isRefused(id) ? 'in-use' : 'needed';
  }

  #isRefused(id: string): boolean {
    return this.#refused.waitingFor(id) !== undefined;
  }

  /** One at a time: what one removes, another need not. */
  async #alone(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#underWay = promise;
    try {
      await work();
    } finally {
      this.#underWay = undefined;
      resolve();
    }
  }

  /** The disk with so many bytes more; undefined: it is not known. */
  #diskAfter(pendingBytes: number): ImageDisk | undefined {
    const use = this.#deps.disk();
    if (use === undefined) return undefined;
    const usedBytes = use.totalBytes - use.freeBytes + pendingBytes;
    return { usedBytes, totalBytes: use.totalBytes, ...marksOf(use, this.#deps) };
  }

  /** Whether the last eviction has freed nothing of this disk, so that another one would do no better. */
  #isVain(): boolean {
    const { clock, disk, log } = this.#deps;
    const last = this.#last;
    // The engine may free an image some time after its removal.
    if (last === undefined || clock.monotonic() - last.at < FUTILE_MS) return false;
    const shownBytes = (disk()?.freeBytes ?? 0) - last.freeBytes;
    if (clock.monotonic() - last.at >= VAIN_MS || shownBytes >= last.freedBytes * SHOWN_PART) {
      this.#last = undefined;
      return false;
    }
    if (!this.#hasSaidVain)
      log.warn(
        {
          event: 'image-eviction-vain',
          hint: 'set --image-disk-high to 100%, if Docker has its images on another disk',
        },
        'the removal of images has freed nothing on the disk of Docker: no more are removed for a while',
      );
    this.#hasSaidVain = true;
    return true;
  }

  /** Why images have to go now; undefined: they need not. */
  #need(pendingBytes: number): Need | undefined {
    const disk = this.#diskAfter(pendingBytes);
    if (disk === undefined || disk.usedBytes <= disk.high * disk.totalBytes) return undefined;
    const freeBytes = disk.totalBytes - disk.usedBytes + pendingBytes;
    return { reason: freeBytes < this.#deps.minFreeBytes ? 'min-free-disk' : 'high-mark', disk, freeBytes };
  }

  async #tryToEvict(pendingBytes: number): Promise<void> {
    const { clock, log, signal } = this.#deps;
    try {
      await this.#evict(pendingBytes);
      this.#hasFailed = false;
      if (this.#need(pendingBytes) !== undefined) this.#futileAt = clock.monotonic();
    } catch (thrown) {
      this.#futileAt = clock.monotonic();
      if (signal.aborted) return;
      const { code, hint, message } = asAgentError(thrown);
      // Once, until it goes well again: the disk is looked at all the time.
      const level = this.#hasFailed ? 'debug' : 'warn';
      log[level]({ event: 'image-eviction-failed', code, hint }, `images not evicted: ${message}`);
      this.#hasFailed = true;
    }
  }

  /** Also while the disk has room, because an image may be gone and back before it has not. */
  async #noteGone(signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.monotonic();
    // Claims that a full disk blocks ask for room all the time.
    if (now - this.#notedAt < CHECK_MS) return;
    this.#notedAt = now;
    try {
      await this.#deps.inspector.noteGone(signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const { code, message } = asAgentError(thrown);
      this.#deps.log.debug({ event: 'image-check-failed', code }, `images not looked at: ${message}`);
    }
  }

  async #evict(pendingBytes: number): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const wanted = await inSlices(this.#deps.wanted());
      const inspection = await this.#inspect(this.#deps.signal);
      const need = this.#need(pendingBytes);
      if (need === undefined) return;
      const { disk, freeBytes, reason } = need;
      const chosen = await this.#choose(inspection, wanted, need);
      const gone = await this.#remove(inspection, chosen, { reason, low: disk.low, pendingBytes });
      if (gone.length > 0) {
        this.#last = { at: this.#deps.clock.monotonic(), freeBytes, freedBytes: frees(gone) };
        return;
      }
      if (!chosen.some(({ image }) => this.#isRefused(image.id))) return;
    }
  }

  /**
   * What open runs want stays, or it would be pulled again at once; unless claims are blocked, and only its removal lets them
   * go on.
   */
  async #choose(
    { images }: Inspection,
    wanted: ReadonlySet<string>,
    { disk, freeBytes, reason }: Need,
  ): Promise<EvictionPlan['evicted']> {
    const { clock, minFreeBytes } = this.#deps;
    const unwanted = images.map((one) => unlessWanted(one, wanted));
    const { evicted } = await inSlices(planEvictionInSteps(unwanted, disk, clock.now()));
    if (reason !== 'min-free-disk' || frees(evicted) + freeBytes >= minFreeBytes) return evicted;
    const low = 1 - minFreeBytes / disk.totalBytes;
    const all = images.map(({ held }) => held);
    const plan = await inSlices(planEvictionInSteps(all, { ...disk, low, high: low }, clock.now()));
    return frees(plan.evicted) + freeBytes >= minFreeBytes ? plan.evicted : evicted;
  }

  /** Removes images one by one until there is room; answers those that have gone. */
  async #remove(
    { engine, images }: Inspection,
    evicted: EvictionPlan['evicted'],
    why: { readonly reason: EvictionReason; readonly low: number; readonly pendingBytes: number },
  ): Promise<EvictionPlan['evicted']> {
    const byId = new Map(images.map((image) => [image.stored.id, image]));
    const gone: EvictionPlan['evicted'][number][] = [];
    for (const one of evicted) {
      const use = this.#deps.disk();
      if (use === undefined || engine === undefined || this.#deps.signal.aborted) break;
      if (use.totalBytes - use.freeBytes + why.pendingBytes <= why.low * use.totalBytes) break;
      const inspected = byId.get(one.image.id);
      if (inspected === undefined) continue;
      if (await this.#removeOne(engine, inspected, one.freedBytes, why.reason)) gone.push(one);
    }
    return gone;
  }

  /** Whatever has come to need the image since the inspection keeps it. Answers whether it has gone. */
  async #removeOne(
    engine: string,
    { held, refs, stored }: InspectedImage,
    freedBytes: number,
    reason: EvictionReason,
  ): Promise<boolean> {
    const { images, observe, inspector, uses } = this.#deps;
    const names = [stored.id, ...stored.names];
    // In one tick: nothing can decide to use the image between this check and the beginning of the removal.
    if (inspector.isNeeded(stored) || inspector.isPinned(stored)) return false;
    using removal = uses.beginRemoval(names);
    if (removal === undefined) return false;
    images.forgetNames(names);
    const answer = await this.#removeFromEngine(stored);
    if (answer === 'in-use') return false;
    inspector.gone(engine, stored.id);
    if (answer === 'absent') return false;
    const [image = stored.id] = refs;
    observe({
      kind: 'image-evicted',
      image,
      id: stored.id,
      freedBytes,
      valuePerDay: held.valuePerDay,
      reason,
    });
    return true;
  }

  /** As the engine does it; `in-use` also where it fails at this image alone. */
  async #removeFromEngine(stored: StoredImage): ReturnType<ImageStore['remove']> {
    const { log, signal, store } = this.#deps;
    const refuse = (): 'in-use' => {
      this.#refused.fail(stored.id, undefined, () => REFUSED_MS);
      return 'in-use';
    };
    try {
      const answer = await store.remove(stored, signal);
      return answer === 'in-use' ? refuse() : answer;
    } catch (thrown) {
      signal.throwIfAborted();
      refuse();
      const { code, hint, message } = asAgentError(thrown);
      if (code === 'RUNTIME_UNAVAILABLE') throw thrown;
      const [image = stored.id] = stored.names;
      log.warn({ event: 'image-eviction-failed', image, code, hint }, `images not evicted: ${message}`);
      return 'in-use';
    }
  }
}

/** A disk that nobody knows is never too full. */
const UNKNOWN_DISK: ImageDisk = { usedBytes: 0, totalBytes: 0, high: 1, low: 1 };

/** The image as one that is needed where an open run wants it now. */
function unlessWanted({ held, stored }: InspectedImage, wanted: ReadonlySet<string>): HeldImage {
  return { ...held, isNeeded: held.isNeeded || stored.names.some((name) => wanted.has(name)) };
}

function frees(evicted: EvictionPlan['evicted']): number {
  return evicted.reduce((sum, { freedBytes }) => sum + freedBytes, 0);
}
