import { asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Images, ReadyImage } from '../../domain/ports/runtime.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { earliest } from '../../lib/earliest.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';

type Failure = { readonly until: number; readonly times: number; readonly final: boolean };

/** So many failed pulls in a row are taken for passing; more, and nobody need wait for the image. */
const RETRYABLE_FAILURES = 3;

/**
 * Readies images in the background before anything is claimed, and remembers which are here and which failed.
 * A failed image is tried again after a wait that grows.
 */
export class ImagePuller {
  readonly #images: Images;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #observe: Observer;
  readonly #signal: AbortSignal;
  readonly #ready = new Map<string, ReadyImage>();
  readonly #failed = new Map<string, Failure>();
  readonly #pulls = new Map<string, Promise<void>>();
  readonly #listeners = new Set<() => void>();

  constructor(deps: {
    readonly images: Images;
    readonly clock: Clock;
    readonly random: () => number;
    readonly observe: Observer;
    readonly signal: AbortSignal;
  }) {
    this.#images = deps.images;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#observe = deps.observe;
    this.#signal = deps.signal;
  }

  /** `failed` only while its wait lasts. */
  state(ref: string): 'ready' | 'missing' | 'failed' {
    if (this.#ready.has(ref)) return 'ready';
    const failure = this.#failed.get(ref);
    return failure !== undefined && this.#clock.monotonic() < failure.until ? 'failed' : 'missing';
  }

  get(ref: string): ReadyImage | undefined {
    return this.#ready.get(ref);
  }

  /** Whether an image is being readied, or will be tried again with some hope. */
  get busy(): boolean {
    const now = this.#clock.monotonic();
    const retryable = (one: Failure): boolean =>
      !one.final && one.times <= RETRYABLE_FAILURES && one.until > now;
    return this.#pulls.size > 0 || [...this.#failed.values()].some(retryable);
  }

  /** When the next failed image is to be tried again; Infinity where none is. */
  get nextRetryAt(): number {
    const now = this.#clock.monotonic();
    return earliest([...this.#failed.values()].map(({ until }) => until).filter((until) => until > now));
  }

  /** Calls `listener` whenever an image has become ready or has failed; answers how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sees to it that an image will be here; returns at once. */
  pull(ref: string): void {
    if (this.#pulls.has(ref) || this.state(ref) !== 'missing') return;
    const work = this.#prepare(ref).finally(() => {
      this.#pulls.delete(ref);
      for (const listener of this.#listeners) listener();
    });
    this.#pulls.set(ref, work);
  }

  /** Forgets that an image is here: a container could not be made of it. */
  forget(ref: string): void {
    this.#ready.delete(ref);
  }

  async #prepare(ref: string): Promise<void> {
    const began = this.#clock.monotonic();
    try {
      this.#ready.set(ref, await this.#images.prepare(ref, this.#signal));
      this.#failed.delete(ref);
      this.#observe({ kind: 'image-ready', image: ref, tookMs: this.#clock.monotonic() - began });
    } catch (thrown) {
      if (this.#signal.aborted) return;
      const times = (this.#failed.get(ref)?.times ?? 0) + 1;
      const error = asAgentError(thrown);
      const final = error.code === 'IMAGE_NOT_FOUND' || error.code === 'IMAGE_REFUSED';
      const retryInMs = final ? RETRY.pullImage.maxMs : backoffMs(RETRY.pullImage, times, this.#random);
      this.#failed.set(ref, { times, final, until: this.#clock.monotonic() + retryInMs });
      this.#observe({ kind: 'image-failed', image: ref, why: `${error.code}: ${error.message}`, retryInMs });
    }
  }
}
