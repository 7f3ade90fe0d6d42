import { csvRow } from '../../lib/csv.ts';
import { dollars } from '../../pricing/money.ts';
import type { Shown } from './source.ts';

type Sums = Shown['total'];

const AMOUNTS = [
  ['jobs', ({ jobs }: Sums) => jobs],
  ['confirmed_usd', (sums: Sums) => exact(sums.confirmedMicroDollars)],
  ['pending_jobs', (sums: Sums) => sums.pendingJobs],
  ['pending_usd', (sums: Sums) => exact(sums.pendingMicroDollars)],
  ['energy_joules', (sums: Sums) => sums.energyJoules],
  ['power_cost_usd', (sums: Sums) => exact(sums.powerCostMicroDollars)],
  ['net_usd', (sums: Sums) => exact(sums.netMicroDollars)],
  ['ended_jobs', (sums: Sums) => sums.endedJobs],
  ['unmeasured_jobs', (sums: Sums) => sums.unmeasuredJobs],
  ['estimated_jobs', (sums: Sums) => sums.estimatedJobs],
  ['unpriced_jobs', (sums: Sums) => sums.unpricedJobs],
] as const;

const NONE: Sums = {
  jobs: 0,
  confirmedMicroDollars: 0,
  pendingJobs: 0,
  pendingMicroDollars: 0,
  energyJoules: 0,
  powerCostMicroDollars: 0,
  netMicroDollars: 0,
  endedJobs: 0,
  unmeasuredJobs: 0,
  estimatedJobs: 0,
  unpricedJobs: 0,
};

/** The rows as CSV, to the micro-dollar and without a total, and one of kind `idle` for GPUs without a job. */
export function earningsCsv({ by, idle, rows }: Shown): string {
  const line = (kind: 'idle' | 'jobs', name: string, sums: Sums): string =>
    csvRow([kind, name, ...AMOUNTS.map(([, of]) => of(sums))]);
  // What GPUs take without a job is part of no net.
  const idleRow = line('idle', '', { ...NONE, ...idle, netMicroDollars: null });
  return [
    csvRow(['kind', by, ...AMOUNTS.map(([title]) => title)]),
    ...rows.map((row) => line('jobs', row.name, row)),
    ...(idle.ms === 0 ? [] : [idleRow]),
  ].join('');
}

/** Exact: no amount has more than six decimals. */
function exact(microDollars: number | null): number | null {
  return microDollars === null ? null : dollars(microDollars);
}
