import { type Score, type Sums, totalOf } from './score.ts';

/**
 * What another ask may have brought, as one draw has it. What it changes beside the asks in force is drawn again, block by
 * block with replacement: which jobs those are is chance, and what they do not change is known. Pure but for `random`.
 */
export function resampled(
  score: Score,
  base: readonly Sums[],
  ask: number,
  random: () => number,
): Omit<Sums, 'imputed'> {
  const now = totalOf(score.blocks);
  const before = totalOf(base);
  let [jobs, busyMs, paidMs] = [before.jobs, before.busyMs, before.paidMs];
  for (let draw = 0; draw < base.length; draw += 1) {
    const at = Math.floor(random() * base.length);
    const [one, other] = [score.blocks[at], base[at]];
    if (one === undefined || other === undefined) continue;
    jobs += one.jobs - other.jobs;
    busyMs += one.busyMs - other.busyMs;
    paidMs += one.paidMs - other.paidMs;
  }
  busyMs = Math.max(0, busyMs);
  paidMs = Math.min(Math.max(0, paidMs), busyMs);
  const cost = now.busyMs === 0 ? 0 : Math.round((now.cost * busyMs) / now.busyMs);
  return {
    jobs: Math.max(0, jobs),
    busyMs,
    paidMs,
    earned: Math.round((ask * paidMs * 1_000_000) / 60_000),
    cost,
  };
}
