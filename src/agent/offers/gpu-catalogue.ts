import { asAgentError } from '../../domain/errors.ts';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import { type NamedGpu, nameInSteps } from '../../domain/named-catalogue.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import type { Log } from '../../lib/log.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { inSlices } from '../../lib/slices.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { RETRY } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';

/** A catalogue is not fetched again for this long, whatever runs name: GPUs are added a few times a year. */
const FRESH_MS = 600_000;

const KEY = 'gpus';

export type GpuCatalogueDeps = {
  readonly broker: Pick<Broker, 'gpus'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: () => number;
  readonly log: Log;
};

/** The broker's GPUs as last fetched. Fetched again only where a run names one that is not among them. */
export class GpuCatalogue {
  readonly #deps: GpuCatalogueDeps;
  readonly #invalidItems: InvalidItemLog;
  readonly #calls = new SingleFlight<boolean>();
  readonly #failed: BackoffMap<void>;
  #gpus: ReadonlyMap<string, CatalogueGpu> = new Map();
  #named: readonly NamedGpu[] = [];
  #freshUntil = 0;

  constructor(deps: GpuCatalogueDeps) {
    this.#deps = deps;
    this.#invalidItems = new InvalidItemLog(deps.log, 'gpu');
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
  }

  /** By uuid; empty before the first fetch. */
  get gpus(): ReadonlyMap<string, CatalogueGpu> {
    return this.#gpus;
  }

  /** With their names parsed, to match this host's GPUs. */
  get named(): readonly NamedGpu[] {
    return this.#named;
  }

  /** Throws what the broker's client throws. */
  async fetch(signal: AbortSignal): Promise<void> {
    const { broker, clock } = this.#deps;
    const list = await broker.gpus(signal);
    this.#invalidItems.log(list);
    const gpus = new Map(list.items.map((gpu) => [gpu.uuid, gpu]));
    this.#named = await inSlices(nameInSteps([...gpus.values()]));
    this.#gpus = gpus;
    this.#failed.clear(KEY);
    this.#freshUntil = clock.monotonic() + FRESH_MS;
  }

  /**
   * Fetches the catalogue for a run that names an unknown GPU, unless that was done a short while ago. Returns whether it
   * was fetched; a failure is only logged. Callers at the same time share one call.
   */
  async fetchAgain(signal: AbortSignal): Promise<boolean> {
    const isTooSoon =
      this.#deps.clock.monotonic() < this.#freshUntil || this.#failed.waitingFor(KEY) !== undefined;
    if (isTooSoon && !this.#calls.has(KEY)) return false;
    return this.#calls.run(KEY, () => this.#tryFetch(signal));
  }

  async #tryFetch(signal: AbortSignal): Promise<boolean> {
    try {
      await this.fetch(signal);
      return true;
    } catch (thrown) {
      const error = asAgentError(thrown);
      const { waitMs } = this.#failed.fail(KEY, undefined, (failures) =>
        waitAfter(error, RETRY.lookUp, failures, this.#deps.random),
      );
      const fields = { event: 'gpu-catalogue-failed', code: error.code, retryInMs: waitMs };
      if (!signal.aborted) this.#deps.log.warn(fields, `GPU catalogue not fetched: ${error.message}`);
      return false;
    }
  }
}
