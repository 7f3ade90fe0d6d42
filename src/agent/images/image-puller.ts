import type { ImageState } from '../../domain/decide.ts';
import { type AgentError, asAgentError, ERROR_KINDS, type ErrorCode } from '../../domain/errors.ts';
import { parseImageRef, registryOf } from '../../domain/image-ref.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Images, ReadyImage } from '../../domain/ports/runtime.ts';
import { type Backoff, BackoffMap, earliest } from '../../lib/backoff-map.ts';
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

type Failure = RetryPolicy & { readonly code: ErrorCode };

/** Pulls images in the background before anything is claimed, and remembers which are ready and which failed. */
export class ImagePuller {
  /** Notified whenever an image has become ready or has failed. */
  readonly changed = new Notifier();
  readonly #deps: ImagePullerDeps;
  readonly #ready = new Map<string, ReadyImage>();
  readonly #failed: BackoffMap<Failure>;
  /** The registries that limit this host's pulls, for all of their images. */
  readonly #limited: BackoffMap<Failure>;
  readonly #underWay = new Set<string>();

  constructor(deps: ImagePullerDeps) {
    this.#deps = deps;
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
    this.#limited = new BackoffMap(() => deps.clock.monotonic());
  }

  /** `failed` and `wrong-platform` only while their wait lasts. */
  state(ref: string): ImageState {
    if (this.#ready.has(ref)) return 'ready';
    const waiting = this.#failed.waitingFor(ref) ?? this.#limited.waitingFor(registryOfRef(ref));
    if (waiting === undefined) return 'missing';
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
    return earliest([this.#failed.nextRetryAt, this.#limited.nextRetryAt]);
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
      this.#limited.clear(registryOfRef(ref));
      observe({ kind: 'image-ready', image: ref, tookMs: clock.monotonic() - began });
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      const { code, message } = error;
      const { waitMs } = this.#fail(ref, error, random);
      observe({
        kind: 'image-failed',
        image: ref,
        code,
        why: `${code}: ${message}`,
        hint: error.hint ?? ERROR_KINDS[code].hint,
        hostFault: HOST_FAULTS.has(code),
        retryInMs: waitMs,
      });
    }
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
