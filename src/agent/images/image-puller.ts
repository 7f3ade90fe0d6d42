import { asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Images, ReadyImage } from '../../domain/ports/runtime.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import { isOnceWaiting, RETRY, type RetryPolicy } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';

export type ImagePullerDeps = {
  readonly images: Images;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: () => number;
  readonly observe: Observer;
  readonly signal: AbortSignal;
};

/** Pulls images in the background before anything is claimed, and remembers which are ready and which failed. */
export class ImagePuller {
  /** Notified whenever an image has become ready or has failed. */
  readonly changed = new Notifier();
  readonly #deps: ImagePullerDeps;
  readonly #ready = new Map<string, ReadyImage>();
  /** The policy of the last failure of each image. */
  readonly #failed: BackoffMap<RetryPolicy>;
  readonly #underWay = new Set<string>();

  constructor(deps: ImagePullerDeps) {
    this.#deps = deps;
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
  }

  /** `failed` only while its wait lasts. */
  state(ref: string): 'ready' | 'missing' | 'failed' {
    if (this.#ready.has(ref)) return 'ready';
    return this.#failed.waitingFor(ref) === undefined ? 'missing' : 'failed';
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
    return this.#failed.nextRetryAt;
  }

  /** Pulls a missing image in the background. */
  pull(ref: string): void {
    if (this.#underWay.has(ref) || this.state(ref) !== 'missing') return;
    this.#underWay.add(ref);
    void this.#pull(ref).finally(() => {
      this.#underWay.delete(ref);
      this.changed.notify();
    });
  }

  /** Forgets that an image is ready: no container could be made of it. */
  forget(ref: string): void {
    this.#ready.delete(ref);
  }

  async #pull(ref: string): Promise<void> {
    const { clock, images, observe, random, signal } = this.#deps;
    const began = clock.monotonic();
    try {
      this.#ready.set(ref, await images.prepare(ref, signal));
      this.#failed.clear(ref);
      observe({ kind: 'image-ready', image: ref, tookMs: clock.monotonic() - began });
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      const isRefused = error.code === 'IMAGE_NOT_FOUND' || error.code === 'IMAGE_REFUSED';
      const policy = isRefused ? RETRY.pullImageRefused : RETRY.pullImage;
      const { waitMs } = this.#failed.fail(ref, policy, (failures) =>
        isRefused ? policy.maxMs : waitAfter(error, policy, failures, random),
      );
      observe({
        kind: 'image-failed',
        image: ref,
        why: `${error.code}: ${error.message}`,
        retryInMs: waitMs,
      });
    }
  }
}
