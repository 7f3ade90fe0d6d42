import { normal } from './normal.ts';
import { type Score, type Sums, sumOf, totalOf } from './score.ts';

/**
 * Of the time that another ask sells beside the asks in force, at least so much is left: a host that loses a job to this one
 * takes another, which the replay still finds open.
 */
const MIN_LEFT = 0.6;

/** Of the jobs that remain where others do not, so many in the mean would have been others, or none. */
const CHANCE = 0.8;

/**
 * What another ask may have brought, as one draw has it. Jobs that this host has not run are drawn again, block by block with
 * replacement, because which of them it would have got is chance. `before` is what the asks in force brought. Pure but for
 * `random`.
 */
export function resampled(
  { blocks }: Score,
  before: Pick<Sums, 'jobs' | 'paidMs'>,
  ask: number,
  random: () => number,
): Sums {
  const total = totalOf(blocks);
  const [known, drawn] = [sumOf(blocks.map(({ imputed }) => imputed)), { jobs: 0, busyMs: 0, paidMs: 0 }];
  for (let draw = 0; draw < blocks.length; draw += 1) {
    const block = blocks[Math.floor(random() * blocks.length)];
    drawn.jobs += block?.imputed.jobs ?? 0;
    drawn.busyMs += block?.imputed.busyMs ?? 0;
    drawn.paidMs += block?.imputed.paidMs ?? 0;
  }
  const soldMs = total.paidMs - known.paidMs + drawn.paidMs;
  const moreMs = Math.max(0, soldMs - before.paidMs);
  const left = soldMs > 0 ? 1 - ((1 - MIN_LEFT) * random() * moreMs) / soldMs : 1;
  const share = left * luck(total.jobs, before.jobs - (total.jobs - known.jobs), random);
  const busyMs = share * (total.busyMs - known.busyMs + drawn.busyMs);
  return {
    jobs: Math.round(share * (total.jobs - known.jobs + drawn.jobs)),
    busyMs,
    paidMs: share * soldMs,
    earned: Math.round((ask * share * soldMs * 1_000_000) / 60_000),
    cost: total.busyMs === 0 ? 0 : Math.round((total.cost * busyMs) / total.busyMs),
  };
}

/**
 * Where this host lost jobs, it would have waited at other times and met others: by what factor that changes what is sold, as
 * the counts of independent jobs vary.
 */
function luck(jobs: number, lost: number, random: () => number): number {
  if (jobs <= 0 || lost <= 0) return 1;
  return Math.max(0, 1 + (CHANCE * normal(random) * Math.sqrt(Math.min(jobs, lost))) / jobs);
}
