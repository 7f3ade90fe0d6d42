import { type AgentError, asAgentError } from '../../domain/errors.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { aborted } from '../../lib/deadline.ts';
import { sleep } from '../../lib/sleep.ts';
import { RETRY } from '../retry/policies.ts';
import type { GpuCordons } from './cordons.ts';

/** Test containers with a GPU at once. */
const CONCURRENT = 4;
const HINT = 'run `sharedcloud-agent check`, which tries each GPU and names what is missing';

export type GpuTestsDeps = {
  /** Runs a test container with this GPU or slice. Throws why no job could have run so. */
  readonly test: (gpu: string, signal: AbortSignal) => Promise<boolean>;
  readonly cordons: GpuCordons;
  readonly random: () => number;
  /** Aborted when no more jobs are claimed. */
  readonly market: AbortSignal;
};

/** Keeps a GPU or slice cordoned until a test container with it has passed: before its first job, and after a failure. */
export class GpuTests {
  readonly #deps: GpuTestsDeps;
  /** GPUs that were tested, or are being tested until they pass. */
  readonly #known = new Set<string>();
  readonly #testing = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(deps: GpuTestsDeps) {
    this.#deps = deps;
  }

  /** Whether a test container runs now. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /**
   * Tests the GPUs that are new. Settles once one of these has passed, with the reason once all have failed and none may
   * be waited for, or when no more jobs are claimed.
   */
  async admit(gpus: readonly string[], mayWait: boolean): Promise<AgentError | undefined> {
    const isNew = gpus.filter((gpu) => !this.#known.has(gpu));
    if (isNew.length < new Set(gpus).size || isNew.length === 0) {
      for (const gpu of isNew) void this.#begin(gpu);
      return undefined;
    }
    const firsts = isNew.map((gpu) => this.#begin(gpu));
    const passed = Promise.any(firsts.map(({ passed: one }) => one));
    const failures = Promise.all(firsts.map(({ first }) => first));
    if (!mayWait) {
      const results = await failures;
      return results.every((result) => result !== undefined) ? results[0] : undefined;
    }
    await Promise.race([passed, aborted(this.#deps.market)]);
    return undefined;
  }

  /** A container could not be given this GPU. */
  failed(gpu: string, { hint = HINT, message }: AgentError): void {
    if (this.#testing.has(gpu)) return;
    this.#deps.cordons.cordon('test', gpu, { why: message, hint });
    this.#begin(gpu);
  }

  /** `first` is how the first test container ends, `passed` settles once one has passed. */
  #begin(gpu: string): { readonly first: Promise<AgentError | undefined>; readonly passed: Promise<void> } {
    const { cordons } = this.#deps;
    this.#known.add(gpu);
    this.#testing.add(gpu);
    if (cordons.get('test', gpu) === undefined)
      cordons.cordon('test', gpu, { why: 'it was not tested yet', hint: HINT, quiet: true });
    const first = Promise.withResolvers<AgentError | undefined>();
    const passed = this.#untilPassed(gpu, first.resolve);
    return { first: first.promise, passed };
  }

  async #untilPassed(gpu: string, onFirst: (error: AgentError | undefined) => void): Promise<void> {
    const { cordons, market, random } = this.#deps;
    for (let attempt = 1; !market.aborted; attempt += 1) {
      const error = await this.#test(gpu);
      onFirst(error);
      if (market.aborted) return;
      if (error === undefined) {
        this.#testing.delete(gpu);
        return cordons.uncordon('test', gpu);
      }
      cordons.cordon('test', gpu, { why: error.message, hint: error.hint ?? HINT });
      await sleep(backoffMs(RETRY.canary, attempt, random), market);
    }
    onFirst(undefined);
  }

  async #test(gpu: string): Promise<AgentError | undefined> {
    const { market, test } = this.#deps;
    while (this.#running >= CONCURRENT)
      await new Promise<void>((resolve) => this.#waiting.push(() => resolve()));
    this.#running += 1;
    try {
      await test(gpu, market);
      return undefined;
    } catch (thrown) {
      return asAgentError(thrown);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
