import type { JobRecord } from '../../domain/job.ts';
import type { OfferPlan } from '../../domain/offer.ts';
import { ByteBudget } from '../../lib/byte-budget.ts';
import { Notifier } from '../../lib/notifier.ts';
import { LIMITS } from '../../limits.ts';
import type { SlotPool } from '../jobs/slot-pool.ts';
import type { RetryUntilStopped } from '../retry/retry-until-stopped.ts';
import { OfferWorker, type OfferWorkerDeps } from './offer-worker.ts';

/** The name under which the owner's holds keep an offer off the market. */
const HELD = 'owner';

export type MarketDeps = Omit<OfferWorkerDeps, 'claiming' | 'claimInput'> & {
  readonly slots: SlotPool;
  /** Runs what nobody waits for. */
  readonly run: (task: Promise<void>) => void;
  /** Called when an offer's slots were added, and when the owner keeps other slots from jobs than before. */
  readonly onHolds: () => void;
  /** Why the owner keeps all slots of an offer from jobs. */
  readonly holdWhy: (offer: OfferPlan) => string | undefined;
  readonly retryUntilStopped: RetryUntilStopped;
};

/** This host's offers on the market, each with a worker. */
export class Market {
  readonly #deps: MarketDeps;
  #workers: readonly OfferWorker[] = [];
  /** One for all offers, because a run may be on the market of several. */
  readonly #claiming = new Set<string>();
  /** One for all offers, because they share this process's memory. */
  readonly #claimInput = new ByteBudget(LIMITS.broker.claimInput.max);
  /** Why all offers are off the market, by what keeps them off. */
  readonly #suspensions = new Map<string, string>();

  constructor(deps: MarketDeps) {
    this.#deps = deps;
  }

  get workers(): readonly OfferWorker[] {
    return this.#workers;
  }

  /** The offers' instances at the broker. */
  get instances(): readonly string[] {
    return this.#workers.map(({ offer }) => offer.instance);
  }

  /**
   * Registers an offer, however long that takes; its worker is yet to be run. Its slots are added at once, so that a job
   * of one offer leaves room for those of offers that are still being registered.
   */
  async register(plan: OfferPlan): Promise<OfferWorker> {
    const { leases, registrar, retryUntilStopped, slots } = this.#deps;
    const wake = new Notifier();
    const added = slots.add(plan.slots, wake);
    const registered = await retryUntilStopped((signal) =>
      registrar.register(plan, signal, () => added.open > 0),
    );
    const worker = new OfferWorker(registered, added, wake, {
      ...this.#deps,
      claiming: this.#claiming,
      claimInput: this.#claimInput,
    });
    this.#workers = [...this.#workers, worker];
    for (const [by, why] of this.#suspensions) worker.suspend(by, why);
    this.#deps.onHolds();
    this.#followHolds(worker);
    leases.now();
    return worker;
  }

  /** Sets what offers ask, registered or not; `reprice` applies it. */
  setPrices(plans: readonly OfferPlan[]): void {
    this.#deps.registrar.setPrices(plans);
  }

  /** Applies an offer's price: to new jobs at once, at the broker as soon as it answers. */
  async reprice(worker: OfferWorker): Promise<void> {
    const { registrar, retryUntilStopped } = this.#deps;
    // The registration writes price and size too.
    if (!(await registrar.reprice(worker, retryUntilStopped))) worker.registerAgain();
  }

  /** Takes all offers off the market, also later ones, for as long as something with this name keeps them off. */
  suspend(by: string, why: string): void {
    this.#suspensions.set(by, why);
    for (const worker of this.#workers) worker.suspend(by, why);
  }

  /** Puts all offers on the market again, unless something else keeps them off. */
  resume(by: string): void {
    this.#suspensions.delete(by);
    for (const worker of this.#workers) worker.resume(by);
  }

  /** The owner keeps other slots from jobs than before: the offers get smaller or larger, or leave the market. */
  holdsChanged(): void {
    this.#deps.onHolds();
    for (const worker of this.#workers) this.#followHolds(worker);
  }

  #followHolds(worker: OfferWorker): void {
    const { registrar, holdWhy } = this.#deps;
    const { offer, openSlots } = worker;
    if (openSlots === 0) return worker.suspend(HELD, holdWhy(offer) ?? 'the owner keeps it from new jobs');
    registrar.setParallelJobs(offer.key, openSlots);
    worker.resume(HELD);
    this.#deps.run(this.reprice(worker));
  }

  /** Deregisters all offers, as far as the broker answers before the signal aborts. */
  async leave(why: string, signal: AbortSignal): Promise<void> {
    const { registrar } = this.#deps;
    await Promise.all(this.#workers.map(({ offer }) => registrar.deregister(offer, why, signal)));
  }

  /** Decides again on the runs of the last polls. */
  wake(): void {
    for (const worker of this.#workers) worker.wake();
  }

  /** Polls again, whatever is under way or waited for. */
  restartPolls(): void {
    for (const { poller } of this.#workers) poller.restartPoll();
  }

  /** Nothing is left here of a job that went back to the market. */
  returned({ run }: JobRecord): void {
    for (const worker of this.#workers) worker.jobReleased(run);
  }

  /** The broker has accepted the release or the report of a job. */
  accepted({ instance, run, state }: JobRecord): void {
    for (const worker of this.#workers) {
      if (state.name === 'released') worker.jobReleased(run);
      else if (worker.offer.instance === instance) worker.reportAccepted();
    }
  }
}
