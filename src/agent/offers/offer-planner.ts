import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { CatalogueGpu, Gpu } from '../../domain/gpu.ts';
import type { OfferPlan } from '../../domain/offer.ts';
import type { GpuProbe } from '../../domain/ports/gpu.ts';
import { sleep } from '../../lib/sleep.ts';
import type { HostPlan } from '../deps.ts';
import type { RetryUntilStopped } from '../retry/retry-until-stopped.ts';
import { GpuCatalogue, type GpuCatalogueDeps } from './gpu-catalogue.ts';
import { SeenGpus } from './seen-gpus.ts';

/** A host without anything to offer is looked at again this often. */
const NOTHING_TO_OFFER_MS = 60_000;

export type OfferPlannerDeps = GpuCatalogueDeps & {
  readonly probe: GpuProbe;
  readonly planOffers: (gpus: readonly Gpu[], catalogue: readonly CatalogueGpu[]) => HostPlan;
  readonly retryUntilStopped: RetryUntilStopped;
  /** With `start --once`: whether nothing runs and nothing is owed, so that the agent may give up. */
  readonly once: boolean;
  readonly idle: () => boolean;
};

/** Finds out what this host has to offer, and what has come since. */
export class OfferPlanner {
  readonly catalogue: GpuCatalogue;
  readonly #deps: OfferPlannerDeps;
  /** Keys of the offers that were planned, and the GPUs that were looked at for them. */
  readonly #planned = new Set<string>();
  readonly #seen = new SeenGpus();
  #gpus: readonly Gpu[] = [];

  constructor(deps: OfferPlannerDeps) {
    this.catalogue = new GpuCatalogue(deps);
    this.#deps = deps;
  }

  /** Waits for something to offer; with `once` throws where there is nothing. None where the signal aborts. */
  async first(signal: AbortSignal): Promise<readonly OfferPlan[]> {
    const { idle, log, once, retryUntilStopped, probe } = this.#deps;
    while (!signal.aborted) {
      await retryUntilStopped((inTime) => this.catalogue.fetch(inTime));
      let trouble = new AgentError('GPU_NONE', 'this host has nothing to offer', {
        hint: 'see what `check` says; for CPU jobs set --cpu-slots',
      });
      let gpus: readonly Gpu[] = [];
      try {
        gpus = await probe.gpus(signal);
      } catch (thrown) {
        trouble = asAgentError(thrown);
      }
      const { code, hint, message } = trouble;
      const offers = this.#plan(gpus);
      if (offers.length > 0) {
        if (gpus.length === 0) log.warn({ code, hint }, `CPU jobs only, no GPU jobs: ${message}`);
        return offers;
      }
      if (once) {
        while (!idle() && (await sleep(100, signal)));
        throw trouble;
      }
      log.error({ code, hint }, `nothing to offer, looking again: ${message}`);
      await sleep(NOTHING_TO_OFFER_MS, signal);
    }
    return [];
  }

  /** What can be offered since these GPUs are here: a driver may load long after the agent. */
  since(gpus: readonly Gpu[]): readonly OfferPlan[] {
    return this.#seen.areNew(gpus) ? this.#plan(gpus) : [];
  }

  /** Everything that can be offered with the GPUs that were there last time, planned before or not. */
  again(): readonly OfferPlan[] {
    return this.#all(this.#gpus);
  }

  /** The offers that were not planned before. */
  #plan(gpus: readonly Gpu[]): readonly OfferPlan[] {
    this.#seen.note(gpus);
    this.#gpus = gpus;
    const fresh = this.#all(gpus).filter(({ key }) => !this.#planned.has(key));
    for (const { key } of fresh) this.#planned.add(key);
    return fresh;
  }

  #all(gpus: readonly Gpu[]): readonly OfferPlan[] {
    const { log, planOffers } = this.#deps;
    const plan = planOffers(gpus, [...this.catalogue.gpus.values()]);
    for (const { hint, what, why } of plan.problems) log.warn({ what, hint }, `not offered: ${what}: ${why}`);
    return plan.offers;
  }
}
