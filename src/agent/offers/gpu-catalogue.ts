import { asAgentError } from '../../domain/errors.ts';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Log } from '../../lib/log.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { RETRY } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';

/** A catalogue that was heard is good for this long, whatever runs name: GPUs are added a few times a year. */
const FRESH_MS = 600_000;

export type GpuCatalogueDeps = {
  readonly broker: Pick<Broker, 'gpus'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** The broker's GPUs, as last heard. Asked for again only where a run names one that is not among them. */
export class GpuCatalogue {
  readonly #deps: GpuCatalogueDeps;
  readonly #complaints: InvalidItemLog;
  #gpus: ReadonlyMap<string, CatalogueGpu> = new Map();
  #failures = 0;
  #notBefore = 0;
  #underWay: Promise<boolean> | undefined;

  constructor(deps: GpuCatalogueDeps) {
    this.#deps = deps;
    this.#complaints = new InvalidItemLog(deps.log, 'gpu');
  }

  /** By uuid; empty before the first time. */
  get gpus(): ReadonlyMap<string, CatalogueGpu> {
    return this.#gpus;
  }

  /** Repricer the broker. Throws what its client throws. */
  async fetch(signal: AbortSignal): Promise<void> {
    const { broker, clock } = this.#deps;
    const { invalid, items } = await broker.gpus(signal);
    this.#complaints.log(invalid);
    this.#gpus = new Map(items.map((gpu) => [gpu.uuid, gpu]));
    this.#failures = 0;
    this.#notBefore = clock.monotonic() + FRESH_MS;
  }

  /**
   * A run names a GPU that is not here: perhaps it has been added. Repricer the broker, unless that was done a short while
   * ago, and answers whether it has said anything; a failure is only told. All who ask meanwhile share one call.
   */
  async fetchAgain(signal: AbortSignal): Promise<boolean> {
    if (this.#underWay === undefined && this.#deps.clock.monotonic() < this.#notBefore) return false;
    this.#underWay ??= this.#try(signal).finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #try(signal: AbortSignal): Promise<boolean> {
    const { clock, log, random } = this.#deps;
    try {
      await this.fetch(signal);
      return true;
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#failures += 1;
      const retryInMs = waitAfter(error, RETRY.lookUp, this.#failures, random);
      this.#notBefore = clock.monotonic() + retryInMs;
      const fields = { code: error.code, retryInMs };
      if (!signal.aborted) log.warn(fields, `catalogue of GPUs not seen: ${error.message}`);
      return false;
    }
  }
}
