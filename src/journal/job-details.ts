import { isTerminal } from '../domain/job.ts';
import { isMeasured, type PricedEnergy } from '../domain/job-energy.ts';
import type { NetworkUse } from '../domain/network-use.ts';
import { microDollars } from '../pricing/money.ts';
import type { JobEvent } from './job-history.ts';
import { type JobSummary, outcomeOf, type SlimJob, summaryOf } from './job-summary.ts';

/** What a job took and what is left of its pay; while it runs, what was written last. Unknown, or not yet, is null. */
export type JobMoney = {
  /** Of its GPU, by that GPU's sensor while it ran: its share, where jobs share one. */
  readonly energyJoules: number | null;
  /** Of these, what the GPU would have taken idle. */
  readonly idleJoules: number | null;
  /** For how much of its time that was measured. */
  readonly measuredMs: number | null;
  readonly isEnergyEstimate: boolean | null;
  /** What its power cost at the wall, above idle. */
  readonly powerCostMicroDollars: number | null;
  readonly isPowerCostEstimate: boolean | null;
  /** What it has earned, less its power, once the job is over. */
  readonly netMicroDollars: number | null;
};

/** Everything that the journal knows of one job but its report. Times are in milliseconds; unknown is null. */
export type JobDetails = JobSummary &
  JobMoney & {
    readonly broker: string | null;
    readonly instance: string;
    readonly slot: string;
    readonly timeoutMs: number;
    readonly container: string | null;
    readonly startedAt: number | null;
    readonly endedAt: number | null;
    /** What the agent says in the report about the end of the job. */
    readonly note: string | null;
    /** The sizes of the report's parts in characters. */
    readonly sizes: NonNullable<JobEvent['sizes']> | null;
    /** The beginning. */
    readonly buildLogs: string | null;
    /** Every change of its state, oldest first. */
    readonly history: readonly JobChange[];
  };

/** A change of a job's state. */
export type JobChange = {
  readonly at: number;
  readonly state: string;
  readonly outcome: JobSummary['outcome'];
  readonly why: string | null;
  readonly container: string | null;
  readonly durationMs: number | null;
  readonly earned: number | null;
  readonly note: string | null;
};

type Journal = {
  brokerOf(uuid: string): string | undefined;
  events(uuid: string): readonly JobEvent[];
  networkUse(job: SlimJob): NetworkUse | undefined;
  readonly energy: { of(job: string): PricedEnergy | undefined };
};

/** What the journal knows of a job that is in it. `now` is in milliseconds of the wall clock. */
export function detailsOf(journal: Journal, job: SlimJob, now: number): JobDetails {
  const events = journal.events(job.uuid);
  // A job that was released may have been claimed again, also by an older agent, which keeps no history.
  const claim = events.findLastIndex(({ at, state }) => state === 'claiming' && at === job.claimedAt);
  const current = claim < 0 ? [] : events.slice(claim);
  const last = <Key extends keyof JobEvent>(key: Key): JobEvent[Key] | undefined =>
    current.findLast((event) => event[key] !== undefined)?.[key];
  const { state } = job;
  return {
    ...summaryOf(job, journal.networkUse(job), now),
    ...moneyOf(job, journal.energy.of(job.uuid)),
    broker: journal.brokerOf(job.uuid) ?? null,
    instance: job.instance,
    slot: job.slot,
    timeoutMs: job.timeoutMs,
    container: last('container') ?? state.container ?? null,
    startedAt: last('startedAt') ?? state.startedAt ?? null,
    endedAt:
      current.find((event) => event.state === 'finished')?.at ??
      (state.name === 'finished' ? job.updatedAt : null),
    note: last('note') ?? null,
    sizes: last('sizes') ?? null,
    buildLogs: last('buildLogs') ?? null,
    history: events.map(changeOf),
  };
}

/** A cost is known once the job has stopped running, and what is left once it is over. */
function moneyOf({ state }: SlimJob, energy: PricedEnergy | undefined): JobMoney {
  const measured = energy !== undefined && isMeasured(energy) ? energy : undefined;
  const cost = energy?.powerMicroDollars ?? null;
  return {
    energyJoules: tenths(measured?.joules),
    idleJoules: tenths(measured?.idleJoules),
    measuredMs: energy === undefined ? null : Math.round(energy.coveredMs),
    isEnergyEstimate: measured?.isEstimate ?? null,
    powerCostMicroDollars: cost,
    isPowerCostEstimate: cost === null ? null : (energy?.isCostEstimate ?? null),
    netMicroDollars: cost === null || !isTerminal(state.name) ? null : microDollars(state.earned ?? 0) - cost,
  };
}

function tenths(joules: number | undefined): number | null {
  return joules === undefined ? null : Math.round(joules * 10) / 10;
}

function changeOf({ at, container, durationMs, earned, note, state, status, why }: JobEvent): JobChange {
  return {
    at,
    state,
    outcome: outcomeOf(status),
    why: why ?? null,
    container: container ?? null,
    durationMs: durationMs ?? null,
    earned: earned ?? null,
    note: note ?? null,
  };
}
