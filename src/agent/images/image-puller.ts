import type { ImageState } from '../../domain/decide.ts';
import { type AgentError, asAgentError, ERROR_KINDS, type ErrorCode } from '../../domain/errors.ts';
import { parseImageRef, registryOf } from '../../domain/image-ref.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Images, ReadyImage } from '../../domain/ports/runtime.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { type Backoff, BackoffMap, earliest } from '../../lib/backoff-map.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import { isOnceWaiting, RETRY, type RetryPolicy } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';
import { engineNameOf, type ImageNames, type ImageUses, namesOf } from './image-uses.ts';
import { PullQueue } from './pull-queue.ts';

export type ImagePullerDeps = {
  readonly images: Images;
  readonly uses: ImageUses;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: () => number;
  readonly observe: Observer;
  /** How many images are pulled at the same time. */
  readonly maxPulls: number;
  readonly signal: AbortSignal;
};

/**
 * How long a pull goes on that no run needs any more: the next run often has the same image, and an engine starts a
 * cancelled pull from the beginning.
 */
const UNWANTED_MS = 30_000;

/** Failures whose next try is no sooner likely to succeed after the first than after the tenth. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'IMAGE_NOT_FOUND',
  'IMAGE_PLATFORM',
  'IMAGE_REFUSED',
  'IMAGE_UNSUPPORTED',
  'REGISTRY_DENIED',
]);

/** Failures of this host, which every image may meet. */
const HOST_FAULTS: ReadonlySet<ErrorCode> = new Set(['IMAGE_STORE_CORRUPT', 'IMAGE_STORE_FULL']);

/** What stands for an offer where an image is pulled that no open run wants, and its place among those that they want. */
const PREFETCH = 'prefetch';
const LAST_PLACE = 1e9;

type Failure = RetryPolicy & { readonly code: ErrorCode };

/** The images that the runs of one offer need and this host has not: all, and the best with their places. */
type Wants = { readonly all: ReadonlySet<string>; readonly next: ReadonlyMap<string, number> };

type Pull = { readonly cancel: AbortController; unwanted: NodeJS.Timeout | undefined };

/**
 * Pulls images in the background before anything is claimed, a few at a time and those of the best runs first; remembers
 * which are ready and which failed.
 */
export class ImagePuller {
  /** Notified whenever an image has become ready or has failed. */
  readonly changed = new Notifier();
  readonly #deps: ImagePullerDeps;
  readonly #ready = new Map<string, ReadyImage>();
  readonly #failed: BackoffMap<Failure>;
  /** The registries that limit this host's pulls, for all of their images. */
  readonly #limited: BackoffMap<Failure>;
  /** The images, by id, whose containers could not be started here. */
  readonly #blocked: BackoffMap<ErrorCode>;
  readonly #underWay = new Map<string, Pull>();
  readonly #queue: PullQueue;
  /** By the offer's key. */
  readonly #wants = new Map<string, Wants>();

  constructor(deps: ImagePullerDeps) {
    this.#deps = deps;
    this.#blocked = new BackoffMap(() => deps.clock.monotonic());
    this.#queue = new PullQueue({
      limit: deps.maxPulls,
      rank: (ref) => this.#rank(ref),
      onWaiting: () => this.makeWay(),
    });
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
    this.#limited = new BackoffMap(() => deps.clock.monotonic());
  }

  /** `failed` and `wrong-platform` only while their wait lasts. */
  state(ref: string): ImageState {
    const ready = this.#ready.get(ref);
    if (ready !== undefined) return this.#blocked.waitingFor(ready.id) === undefined ? 'ready' : 'failed';
    const waiting = this.#waitingFor(ref);
    // What goes on is not affected by a limit of its registry that another pull has met.
    if (waiting === undefined || this.#queue.isAdmitted(ref)) return 'missing';
    return waiting.failure.code === 'IMAGE_PLATFORM' ? 'wrong-platform' : 'failed';
  }

  get(ref: string): ReadyImage | undefined {
    return this.#ready.get(ref);
  }

  /** Whether an image is being pulled, or `start --once` waits for the next try. */
  get busy(): boolean {
    return this.#underWay.size > 0 || isOnceWaiting(this.#failed);
  }

  /** When the next failed image may be pulled again; Infinity where none has failed. */
  get nextRetryAt(): number {
    return earliest([this.#failed.nextRetryAt, this.#limited.nextRetryAt, this.#blocked.nextRetryAt]);
  }

  /**
   * Says which missing images an offer's runs need, best run first. The first `ahead` are pulled in the background; what
   * is under way goes on for the others too. What no offer needs any more is cancelled.
   */
  want(offer: string, refs: Iterable<string>, ahead: number): void {
    const all = new Set(refs);
    const next = new Map([...all].slice(0, ahead).map((ref, place) => [ref, place]));
    this.#wants.set(offer, { all, next });
    for (const [ref, pull] of this.#underWay) this.#review(ref, pull);
    for (const ref of next.keys()) this.#begin(ref);
    const needsRoom = ([ref, { cancel }]: readonly [string, Pull]): boolean =>
      !cancel.signal.aborted && this.#queue.isWaiting(ref);
    if ([...this.#underWay].some(needsRoom)) this.makeWay();
  }

  /** Pulls an image that no open run wants, after all that they want; undefined: no longer, unless one wants it by now. */
  prefetch(ref: string | undefined): void {
    const refs = ref === undefined ? [] : [ref];
    const next = new Map(refs.map((one) => [one, LAST_PLACE]));
    this.#wants.set(PREFETCH, { all: new Set(refs), next });
    for (const [one, pull] of this.#underWay) this.#review(one, pull);
    for (const one of refs) this.#begin(one);
  }

  /** Cancels what no open run needs at once, since another pull or the disk cannot wait for it. */
  makeWay(): void {
    this.prefetch(undefined);
    for (const { cancel, unwanted } of this.#underWay.values()) if (unwanted !== undefined) cancel.abort();
  }

  /** Whether an image is being pulled, or waits for that. */
  get isPulling(): boolean {
    return this.#underWay.size > 0;
  }

  /** Forgets that an image is ready: no container could be made of it. */
  forget(ref: string): void {
    this.#ready.delete(ref);
  }

  /** Forgets that images are ready which an engine has under any of these names or ids, since they are being removed. */
  forgetNames(names: ImageNames): void {
    for (const [ref, ready] of this.#ready)
      if (namesOf({ ref, id: ready.id }).some((name) => names.includes(name))) this.#ready.delete(ref);
  }

  /** Keeps a ready image from removal until it is disposed. */
  hold(image: ReadyImage): Disposable {
    return this.#deps.uses.hold(namesOf(image));
  }

  /** An image, by the id of a ready one, counts as failed for a while: its containers cannot be started here. */
  block(id: string, error: AgentError): void {
    const { clock, observe, random } = this.#deps;
    const now = clock.monotonic();
    this.#blocked.retain((_, { retryAt, waitMs }) => now < retryAt + waitMs);
    const policy = HOST_FAULTS.has(error.code) ? RETRY.pullStoreFault : RETRY.unstartableImage;
    const { waitMs } = this.#blocked.fail(id, error.code, (failures) => backoffMs(policy, failures, random));
    const [image = id] = [...this.#ready].flatMap(([ref, ready]) => (ready.id === id ? [ref] : []));
    observe({ kind: 'image-failed', image, ...describe(error), retryInMs: waitMs });
  }

  #begin(ref: string): void {
    if (this.#underWay.has(ref) || this.state(ref) !== 'missing') return;
    const pull: Pull = { cancel: new AbortController(), unwanted: undefined };
    this.#underWay.set(ref, pull);
    void this.#pull(ref, AbortSignal.any([this.#deps.signal, pull.cancel.signal])).finally(() => {
      clearTimeout(pull.unwanted);
      this.#underWay.delete(ref);
      this.changed.notify();
    });
  }

  async #pull(ref: string, signal: AbortSignal): Promise<void> {
    const { clock, images, observe, random, uses } = this.#deps;
    const names = [engineNameOf(ref)];
    using _held = uses.hold(names);
    const isHere = async (): Promise<boolean> => (await images.find(ref)) !== undefined;
    let began: number | undefined;
    try {
      await uses.removed(names, signal);
      using _place = await this.#queue.enter(ref, isHere, signal);
      // Meanwhile, its registry may have asked for fewer pulls.
      if (this.#waitingFor(ref) !== undefined) return;
      began = clock.monotonic();
      this.#ready.set(ref, await images.prepare(ref, signal));
      this.#failed.clear(ref);
      this.#limited.clear(registryOfRef(ref));
      observe({ kind: 'image-ready', image: ref, tookMs: clock.monotonic() - began });
    } catch (thrown) {
      if (this.#deps.signal.aborted) return;
      if (signal.aborted) {
        if (began !== undefined)
          observe({ kind: 'image-pull-cancelled', image: ref, tookMs: clock.monotonic() - began });
        return;
      }
      const error = asAgentError(thrown);
      const { waitMs } = this.#fail(ref, error, random);
      observe({ kind: 'image-failed', image: ref, ...describe(error), retryInMs: waitMs });
    }
  }

  /** Cancels a pull that nobody needs: at once while it waits, else after a while. */
  #review(ref: string, pull: Pull): void {
    const isAdmitted = this.#queue.isAdmitted(ref);
    const offers = [...this.#wants.values()];
    if (offers.some(({ all, next }) => (isAdmitted ? all : next).has(ref))) {
      clearTimeout(pull.unwanted);
      pull.unwanted = undefined;
    } else if (isAdmitted) pull.unwanted ??= setTimeout(() => pull.cancel.abort(), UNWANTED_MS);
    else pull.cancel.abort();
  }

  /** By the image's place in the offer that would take it first. */
  #rank(ref: string): number {
    return Math.min(
      ...[...this.#wants.values()].map(({ next }) => next.get(ref) ?? Number.POSITIVE_INFINITY),
    );
  }

  #waitingFor(ref: string): Backoff<Failure> | undefined {
    return this.#failed.waitingFor(ref) ?? this.#limited.waitingFor(registryOfRef(ref));
  }

  #fail(ref: string, error: AgentError, random: () => number): Backoff<Failure> {
    const { code } = error;
    const policy = policyAfter(error);
    const wait = (failures: number): number =>
      REFUSALS.has(code) ? policy.maxMs : waitAfter(error, policy, failures, random);
    if (code === 'REGISTRY_RATE_LIMITED') this.#limited.fail(registryOfRef(ref), { ...policy, code }, wait);
    return this.#failed.fail(ref, { ...policy, code }, wait);
  }
}

/** An error as the owner reads it in the log. */
function describe({ code, hint, message }: AgentError) {
  const why = `${code}: ${message}`;
  return { code, why, hint: hint ?? ERROR_KINDS[code].hint, hostFault: HOST_FAULTS.has(code) };
}

function policyAfter({ code, retryAfterMs }: AgentError): RetryPolicy {
  if (REFUSALS.has(code)) return RETRY.pullImageRefused;
  if (HOST_FAULTS.has(code)) return RETRY.pullStoreFault;
  return code === 'REGISTRY_RATE_LIMITED' && retryAfterMs === undefined
    ? RETRY.pullRateLimited
    : RETRY.pullImage;
}

/** Text that is no reference has a backoff of its own. */
function registryOfRef(ref: string): string {
  const parsed = parseImageRef(ref);
  return parsed === undefined ? ref : registryOf(parsed);
}
