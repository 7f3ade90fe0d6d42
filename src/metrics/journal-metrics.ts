import type { JobSums, JobTotal } from '../domain/ports/job-sums.ts';
import type { EnergyTotal } from '../journal/energy-days.ts';
import { dollars } from '../pricing/money.ts';
import { type MetricValues, single, valuesOf } from './metric.ts';
import { METRICS } from './table.ts';

const OUTCOMES = ['succeeded', 'failed', 'timeout', 'released', 'cancelled'] as const;

/** What metrics read of the journal. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export type TotalsJournal = {
  readonly sums: Pick<JobSums, 'pending'>;
  readonly totals: { all(): readonly JobTotal[]; oldestReportAt(): number | undefined };
  readonly gpuRollups: { energy(): ReadonlyMap<string, number> };
  readonly energy: { readonly days: { totals(): readonly EnergyTotal[] } };
};

/**
 * What the journal keeps for ever, so that no restart and no deletion of old jobs lets it fall. Of these offers also what is
 * still 0; of energy only what these GPUs have used.
 */
export function journalValues(
  journal: TotalsJournal,
  {
    gpus,
    now,
    offers,
  }: { readonly gpus: ReadonlySet<string>; readonly now: number; readonly offers: readonly string[] },
): readonly MetricValues[] {
  const totals = journal.totals.all();
  const pending = journal.sums.pending();
  const used = journal.energy.days.totals().filter(({ gpu }) => gpus.has(gpu));
  const oldest = journal.totals.oldestReportAt();
  const keys = [...new Set([...offers, ...totals.map(({ offer }) => offer)])];
  const jobs = new Map(totals.map(({ jobs: count, offer, outcome }) => [`${outcome} ${offer}`, count]));
  return [
    valuesOf(
      METRICS.earningsConfirmed,
      keys.map((offer) => [{ offer }, earned(totals, offer)]),
    ),
    single(METRICS.earningsPending, pending.earned),
    single(METRICS.reportsPending, pending.reports),
    single(METRICS.reportPendingAge, oldest === undefined ? 0 : Math.max(now - oldest, 0) / 1_000),
    single(METRICS.releasesPending, pending.releases),
    valuesOf(
      METRICS.jobs,
      keys.flatMap((offer) =>
        OUTCOMES.map((outcome) => [{ offer, outcome }, jobs.get(`${outcome} ${offer}`) ?? 0] as const),
      ),
    ),
    valuesOf(
      METRICS.energy,
      [...journal.gpuRollups.energy()].flatMap(([gpu, joules]) =>
        gpus.has(gpu) ? [[{ gpu }, joules] as const] : [],
      ),
    ),
    valuesOf(
      METRICS.jobEnergy,
      used.flatMap(({ gpu, joules, use }) => (use === 'job' ? [[{ gpu }, joules] as const] : [])),
    ),
    valuesOf(
      METRICS.energyCost,
      used.map(({ gpu, microDollars, use }) => [{ gpu, use }, dollars(microDollars)] as const),
    ),
  ];
}

function earned(totals: readonly JobTotal[], offer: string): number {
  return totals.filter((one) => one.offer === offer).reduce((sum, one) => sum + one.earned, 0);
}
