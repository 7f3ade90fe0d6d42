import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { KnownFunction, MarketHistory } from '../../domain/ports/market-history.ts';
import type { ImageInfo } from '../../domain/run.ts';
import { LIMITS } from '../../limits.ts';
import { RETRY } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';

/** Functions that are looked up after a poll; there is one poll a minute. */
const PER_POLL = 20;

export type FunctionLearnerDeps = {
  readonly broker: Pick<Broker, 'function' | 'image'>;
  readonly history: Pick<MarketHistory, 'learn' | 'unknownFunctions'>;
  readonly clock: Clock;
  readonly random: () => number;
};

/** Looks up the functions of recorded runs, a few at a time: claims look up only what they could take at the ask in force. */
export class FunctionLearner {
  readonly #deps: FunctionLearnerDeps;
  readonly #images = new Map<string, ImageInfo>();
  #dueAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(deps: FunctionLearnerDeps) {
    this.#deps = deps;
  }

  /** Throws STATE_DIR_UNUSABLE. */
  async learn(signal: AbortSignal): Promise<void> {
    const { clock, history, random } = this.#deps;
    if (clock.monotonic() < this.#dueAt) return;
    const learned: KnownFunction[] = [];
    try {
      for (const uuid of history.unknownFunctions(PER_POLL)) {
        if (signal.aborted) break;
        learned.push(await this.#find(uuid, signal));
      }
      this.#failures = 0;
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (error.code === 'STATE_DIR_UNUSABLE') throw error;
      this.#failures += 1;
      this.#dueAt = clock.monotonic() + waitAfter(error, RETRY.marketPoll, this.#failures, random);
    }
    if (learned.length > 0) history.learn(learned, clock.now());
  }

  async #find(uuid: string, signal: AbortSignal): Promise<KnownFunction> {
    const unknown = { function: uuid, image: null, runtime: '', requiresGpu: false };
    try {
      const spec = (await this.#deps.broker.function(uuid, signal))?.spec;
      const image = spec && (await this.#image(spec.imageUuid, signal));
      if (spec === undefined || image === undefined) return unknown;
      const { registryPath, runtime } = spec;
      return { function: uuid, image: registryPath, runtime, requiresGpu: image.requiresGpu };
    } catch (thrown) {
      // The answer is about this function alone.
      if (thrown instanceof AgentError && THIS_ONE.has(thrown.code)) return unknown;
      throw thrown;
    }
  }

  async #image(uuid: string, signal: AbortSignal): Promise<ImageInfo | undefined> {
    const known = this.#images.get(uuid);
    if (known !== undefined) return known;
    const found = await this.#deps.broker.image(uuid, signal);
    if (this.#images.size >= LIMITS.broker.images.max) this.#images.clear();
    if (found !== undefined) this.#images.set(uuid, found);
    return found;
  }
}

const THIS_ONE: ReadonlySet<string> = new Set([
  'BROKER_BAD_ANSWER',
  'BROKER_NOT_FOUND',
  'BROKER_REFUSED',
  'FUNCTION_INVALID',
]);
