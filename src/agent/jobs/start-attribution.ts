import { AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import { LIMITS } from '../../limits.ts';

/** What a test container has in common with a job's container. */
export type StartConditions = { readonly gpu: string | null; readonly network: JobNetwork };

export type StartAttributionDeps = {
  readonly runtime: Pick<Runtime, 'ping'>;
  /** Runs a test container; answers whether there was one to run. Throws why no job could have run so. */
  readonly testContainer: (like: StartConditions, signal: AbortSignal) => Promise<boolean>;
  /** Has no jobs of this image claimed for a while. */
  readonly blockImage: (image: string, error: AgentError) => void;
};

/** Failures that image and host may both cause: the engine's words say too little, or it does not answer. */
const UNEXPLAINED: ReadonlySet<ErrorCode> = new Set(['RUNTIME_FAILED', 'RUNTIME_UNAVAILABLE']);

/** A GPU that could not be given gets its next job after a test container with it: so many failures are the image's. */
const MAX_INJECTION_FAILURES = 3;

/** Failures of an image on this host, which no other image has. */
const IMAGE_CODE = /^IMAGE_(?!NOT_FOUND)/;

/**
 * Tells whether the image or this host keeps a container from starting. An unexplained failure is the image's if it comes
 * twice, a test container starts in between, and no container of the image has started here before.
 */
export class StartAttribution {
  readonly #deps: StartAttributionDeps;
  /** Images that have started here, with and without a GPU. */
  readonly #started = new Set<string>();
  /** How often a GPU could not be given to a container, by image and GPU. */
  readonly #notInjected = new Map<string, number>();

  constructor(deps: StartAttributionDeps) {
    this.#deps = deps;
  }

  /** Notes that a container of the image runs. */
  started(image: string, { gpu }: Pick<StartConditions, 'gpu'>): void {
    if (this.#started.size >= LIMITS.image.remembered.max) this.#started.clear();
    this.#started.add(keyOf(image, gpu));
    this.#notInjected.delete(`${image} ${gpu}`);
  }

  /**
   * The outcome of `attempt`, which creates or starts a container of the image, and is repeated if that can tell more.
   * Throws CONTAINER_UNSTARTABLE if the image is at fault, and what `attempt` throws otherwise.
   */
  async try<T>(
    image: string,
    like: StartConditions,
    signal: AbortSignal,
    attempt: () => Promise<T>,
  ): Promise<T> {
    try {
      return await attempt();
    } catch (thrown) {
      const first = asAgentError(thrown);
      if (IMAGE_CODE.test(first.code)) this.#deps.blockImage(image, first);
      if (first.code === 'GPU_INJECTION_FAILED' && this.#isNeverInjected(image, like))
        throw this.#fault(image, first);
      if (!(await this.#mayBeImage(first, image, like, signal))) throw first;
    }
    try {
      return await attempt();
    } catch (thrown) {
      const again = asAgentError(thrown);
      if (!UNEXPLAINED.has(again.code) || signal.aborted) throw again;
      throw this.#fault(image, again);
    }
  }

  #isNeverInjected(image: string, { gpu }: StartConditions): boolean {
    if (this.#started.has(keyOf(image, gpu))) return false;
    const key = `${image} ${gpu}`;
    const failures = (this.#notInjected.get(key) ?? 0) + 1;
    if (this.#notInjected.size >= LIMITS.image.remembered.max) this.#notInjected.clear();
    this.#notInjected.set(key, failures);
    return failures >= MAX_INJECTION_FAILURES;
  }

  async #mayBeImage(
    { code }: AgentError,
    image: string,
    like: StartConditions,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!UNEXPLAINED.has(code) || signal.aborted || this.#started.has(keyOf(image, like.gpu))) return false;
    try {
      if (code === 'RUNTIME_UNAVAILABLE') await this.#deps.runtime.ping(signal);
      return (await this.#deps.testContainer(like, signal)) && !signal.aborted;
    } catch {
      // No other container starts, either: this host is at fault, which the first failure has said.
      return false;
    }
  }

  #fault(image: string, error: AgentError): AgentError {
    const message = `the image cannot be started here, and others can: ${error.message}`;
    const fault = new AgentError('CONTAINER_UNSTARTABLE', message, { cause: error });
    // Where only the test image starts, this host may be at fault all the same, and would fail every job of the market. Also,
    // each container that hangs in its start stays until the engine is restarted.
    this.#deps.blockImage(image, fault);
    return fault;
  }
}

function keyOf(image: string, gpu: string | null): string {
  return `${gpu === null ? 'cpu' : 'gpu'} ${image}`;
}
