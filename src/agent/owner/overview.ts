import type { Gpu } from '../../domain/gpu.ts';
import type { CordonSource } from '../../domain/gpu-cordon.ts';
import type { GpuSample } from '../../domain/gpu-sample.ts';
import { CPU_TARGET, type Hold, type HoldKind, shownHold, type Target, targetOf } from '../../domain/hold.ts';
import { type JobRecord, SLOT_STATES } from '../../domain/job.ts';
import { localDayOf } from '../../domain/local-day.ts';
import type { Offer, Slot } from '../../domain/offer.ts';
import type { GpuSamples } from '../../domain/ports/gpu-samples.ts';
import type { DayCost, DaySums, JobsPending } from '../../domain/ports/job-sums.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { GpuHealth } from '../gpu-health/gpu-health.ts';
import type { Holds } from '../holds/holds.ts';
import type { OwnerControl } from '../holds/owner-control.ts';
import type { SlotPool, SlotStates } from '../jobs/slot-pool.ts';
import type { SkipCounts } from '../market/skip-log.ts';
import { nameOf } from './owner-commands.ts';

/** So long after the last question nobody watches any more. */
const WATCHED_MS = 10_000;

/** An offer and how it is used. */
export type OfferView = {
  readonly offer: Offer;
  /** How many of its slots have a job. */
  readonly used: number;
  /** How many the owner does not keep from jobs. */
  readonly open: number;
  /** Why it is off the market; undefined: it is on it. */
  readonly suspended: string | undefined;
  readonly states: SlotStates;
  /** How many runs the last poll has seen; undefined: it failed, or there was none yet. */
  readonly runs: number | undefined;
  /** How many of them the last decision skipped, by reason. */
  readonly skips: SkipCounts | undefined;
};

/** A GPU, slice or the CPU slots, and all that goes on there. */
export type TargetView = {
  readonly target: Target;
  readonly name: string;
  /** The GPU that it is, or is cut from; undefined for the CPU slots, and for a GPU that nvidia-smi does not list. */
  readonly gpu: Gpu | undefined;
  readonly slots: number;
  readonly mode: 'auto' | 'on' | 'off';
  /** The one reason why it takes no new jobs. */
  readonly hold: Hold | undefined;
  /** What has cordoned it. */
  readonly cordonedBy: readonly CordonSource[];
  /** The strongest wish of the owner that keeps it from jobs. */
  readonly heldBy: HoldKind | undefined;
  readonly jobs: readonly JobRecord[];
  readonly sample: GpuSample | undefined;
};

/** What the owner sees of the market and the host at one moment. */
export type OverviewNow = {
  readonly offers: readonly OfferView[];
  readonly targets: readonly TargetView[];
  readonly ended: DaySums;
  /** Of the day when that was. */
  readonly cost: DayCost;
  readonly pending: JobsPending;
};

export type OverviewDeps = {
  readonly gpuHealth: Pick<GpuHealth, 'cordonOf' | 'cordonSources' | 'seen'>;
  readonly holds: Pick<Holds, 'of'>;
  readonly control: Pick<OwnerControl, 'mode'>;
  readonly slots: Pick<SlotPool, 'all'>;
  readonly offers: () => readonly OfferView[];
  readonly journal: Pick<Journal, 'inState' | 'sums'>;
  /** Undefined: the GPUs are not sampled. */
  readonly samples: GpuSamples | undefined;
};

/** Puts together what an owner wants to see. Asks nobody outside, so it answers at once. */
export class Overview {
  readonly #deps: OverviewDeps;
  #watching: Disposable | undefined;
  #unwatched: NodeJS.Timeout | undefined;

  constructor(deps: OverviewDeps) {
    this.#deps = deps;
  }

  /** Everything as it is now; `since`: from when on what has ended counts. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
  now(since: number): OverviewNow {
    const { journal, offers } = this.#deps;
    this.#watch();
    return {
      offers: offers(),
      targets: this.#targets(journal.inState(...SLOT_STATES)),
      ended: journal.sums.since(since),
      cost: journal.sums.costOf(localDayOf(since)),
      pending: journal.sums.pending(),
    };
  }

  /** Offers and targets, without their jobs. Does not count as watching: the GPUs are sampled no more often. */
  glance(): Pick<OverviewNow, 'offers' | 'targets'> {
    return { offers: this.#deps.offers(), targets: this.#targets([]) };
  }

  /** The version of the GPUs' driver; undefined: no GPU was seen. */
  get driver(): string | undefined {
    return this.#deps.gpuHealth.seen[0]?.driver;
  }

  /** What an owner calls a GPU or slice; its uuid where it is not here any more. */
  nameOf(target: Target): string {
    return nameOf(target, this.#deps.gpuHealth.seen);
  }

  #targets(jobs: readonly JobRecord[]): readonly TargetView[] {
    const { gpuHealth, slots } = this.#deps;
    const all = slots.all;
    const targets = new Set<Target>([
      ...gpuHealth.seen.flatMap((gpu) =>
        gpu.slices.length === 0 ? [gpu.uuid] : gpu.slices.map(({ uuid }) => uuid),
      ),
      ...all.map(targetOf).filter((target) => target !== CPU_TARGET),
      ...jobs.map(targetOf).filter((target) => target !== CPU_TARGET),
      ...([...all, ...jobs].some((one) => one.gpu === null) ? [CPU_TARGET] : []),
    ]);
    return [...targets].map((target) => this.#target(target, all, jobs));
  }

  #target(target: Target, slots: readonly Slot[], jobs: readonly JobRecord[]): TargetView {
    const { control, gpuHealth, holds, samples } = this.#deps;
    const cordon = target === CPU_TARGET ? undefined : gpuHealth.cordonOf(target);
    const sick: Hold | undefined = cordon && { kind: 'safety', why: cordon.why, hint: cordon.hint };
    const held = holds.of(target);
    return {
      target,
      name: nameOf(target, gpuHealth.seen),
      gpu: gpuHealth.seen.find(
        ({ slices, uuid }) => uuid === target || slices.some((slice) => slice.uuid === target),
      ),
      slots: slots.filter((slot) => targetOf(slot) === target).length,
      mode: control.mode(target),
      hold: shownHold([sick, held].filter((hold) => hold !== undefined)),
      cordonedBy: target === CPU_TARGET ? [] : gpuHealth.cordonSources(target),
      heldBy: held?.kind,
      jobs: jobs.filter((job) => targetOf(job) === target),
      sample: target === CPU_TARGET ? undefined : samples?.latest(target),
    };
  }

  /** Somebody looks, and most likely again. */
  #watch(): void {
    this.#watching ??= this.#deps.samples?.watch();
    clearTimeout(this.#unwatched);
    this.#unwatched = setTimeout(() => {
      this.#watching?.[Symbol.dispose]();
      this.#watching = undefined;
    }, WATCHED_MS);
    this.#unwatched.unref();
  }
}
