import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { NamedGpu } from '../../domain/named-catalogue.ts';
import type { OfferPlan } from '../../domain/offer.ts';
import type { HostPlan } from '../../domain/plan-offers.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';
import { RETRY } from '../retry/policies.ts';
import type { RetryUntilStopped } from '../retry/retry-until-stopped.ts';
import type { GpuCatalogue } from './gpu-catalogue.ts';

export type OfferPlannerDeps = {
  readonly catalogue: GpuCatalogue;
  /** The GPUs as they are now. Throws GPU_*. */
  readonly gpus: () => Promise<readonly Gpu[]>;
  readonly planOffers: (gpus: readonly Gpu[], catalogue: readonly NamedGpu[]) => HostPlan;
  readonly retryUntilStopped: RetryUntilStopped;
  readonly log: Log;
  readonly once: boolean;
};

/** Plans what this host offers, at the start and when a GPU has come. */
export class OfferPlanner {
  readonly #deps: OfferPlannerDeps;
  /** Keys of the offers that were planned. */
  readonly #planned = new Set<string>();
  /** Uuids of the healthy GPUs and slices that were planned with: a GPU that recovers is new. */
  readonly #seen = new Set<string>();
  readonly #noted = new OncePerChange();
  #gpus: readonly Gpu[] = [];
  #problem: AgentError | undefined;

  constructor(deps: OfferPlannerDeps) {
    this.#deps = deps;
  }

  /** Why there is nothing to offer; undefined: there is, or it was not planned yet. */
  get problem(): { readonly why: string; readonly hint: string | undefined } | undefined {
    return this.#problem && { why: `nothing to offer: ${this.#problem.message}`, hint: this.#problem.hint };
  }

  /** Waits for something to offer; with `once` answers the problem instead. No offers where the signal aborts. */
  async first(signal: AbortSignal): Promise<readonly OfferPlan[] | AgentError> {
    const { catalogue, log, once, retryUntilStopped } = this.#deps;
    while (!signal.aborted) {
      await retryUntilStopped((inTime) => catalogue.fetch(inTime));
      const probed = await this.#probe();
      const gpus = probed instanceof AgentError ? [] : probed;
      const offers = this.#planNew(gpus);
      const problem = probed instanceof AgentError ? probed : NOTHING;
      const { code, hint, message } = problem;
      this.#problem = offers.length > 0 ? undefined : problem;
      if (offers.length > 0) {
        if (gpus.length === 0) log.warn({ event: 'cpu-jobs-only', code, hint }, `CPU jobs only: ${message}`);
        return offers;
      }
      if (once) return problem;
      const retryInMs = RETRY.planOffers.maxMs;
      log.error({ event: 'nothing-to-offer', code, hint, retryInMs }, `nothing to offer: ${message}`);
      await sleep(retryInMs, signal);
    }
    return [];
  }

  /** The offers that are new with these GPUs: a driver may load long after the agent. */
  since(gpus: readonly Gpu[]): readonly OfferPlan[] {
    const isNew = ({ fault, ...gpu }: Gpu): boolean =>
      fault === undefined && !uuidsOf(gpu).some((uuid) => this.#seen.has(uuid));
    return gpus.some(isNew) ? this.#planNew(gpus) : [];
  }

  /** All offers with the GPUs that were there last time. */
  all(): readonly OfferPlan[] {
    return this.#plan(this.#gpus);
  }

  async #probe(): Promise<readonly Gpu[] | AgentError> {
    try {
      return await this.#deps.gpus();
    } catch (thrown) {
      return asAgentError(thrown);
    }
  }

  #planNew(gpus: readonly Gpu[]): readonly OfferPlan[] {
    for (const gpu of gpus)
      if (gpu.fault === undefined) for (const uuid of uuidsOf(gpu)) this.#seen.add(uuid);
    this.#gpus = gpus;
    const offers = this.#plan(gpus).filter(({ key }) => !this.#planned.has(key));
    for (const { key } of offers) this.#planned.add(key);
    return offers;
  }

  #plan(gpus: readonly Gpu[]): readonly OfferPlan[] {
    const { catalogue, log, planOffers } = this.#deps;
    const plan = planOffers(gpus, catalogue.named);
    for (const { hint, what, why } of plan.problems)
      log.warn({ event: 'not-offered', what, why, hint }, `not offered: ${what}: ${why}`);
    for (const { hint, what, why } of plan.notes ?? [])
      if (this.#noted.isNew(why, what))
        log.warn({ event: 'offer-note', what, why, hint }, `offered: ${what}: ${why}`);
    return plan.offers;
  }
}

const NOTHING = new AgentError('GPU_NONE', 'this host has nothing to offer', {
  hint: 'see what `check` says; for CPU jobs set --cpu-slots',
});

function uuidsOf({ slices, uuid }: Pick<Gpu, 'slices' | 'uuid'>): readonly string[] {
  return [uuid, ...slices.map((slice) => slice.uuid)];
}
