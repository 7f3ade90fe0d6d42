import { type MicroDollars, microDollars } from '../money.ts';
import type { CostCurve } from './cost-curve.ts';
import type { Replay, World } from './replay.ts';

const DAY_MS = 86_400_000;
/** Days are the sums of blocks. */
const BLOCK_MS = DAY_MS / 4;

/** Sums over some jobs. */
export type Sums = {
  readonly jobs: number;
  readonly busyMs: number;
  readonly paidMs: number;
  readonly earned: MicroDollars;
  /** Power and wear. */
  readonly cost: MicroDollars;
  /** Of what was earned, by jobs that this host has not run in fact. */
  readonly imputed: MicroDollars;
};

/** What one world brings at one ask: the sums of the jobs that were claimed in each block of six hours. */
export type Score = { readonly blocks: readonly Sums[] };

/** What a replay is counted by. */
export type Counting = {
  readonly from: number;
  readonly until: number;
  readonly costs: CostCurve | undefined;
};

export const NOTHING: Sums = { jobs: 0, busyMs: 0, paidMs: 0, earned: 0, cost: 0, imputed: 0 };

/** Sells the slots in a world and counts. A `yield` follows each small part of the work. */
export function* scoreOf(
  replay: Replay,
  world: World,
  { costs, from, until }: Counting,
): Generator<void, Score> {
  const count = Math.max(1, Math.ceil((until - from) / DAY_MS)) * (DAY_MS / BLOCK_MS);
  const blocks = Array.from({ length: count }, () => NOTHING);
  yield* replay.sell(world, (job) => {
    const block = Math.floor((job.from - from) / BLOCK_MS);
    const earned = microDollars((job.ask * job.paidMs) / 60_000);
    blocks[block] = added(blocks[block] ?? NOTHING, {
      jobs: 1,
      busyMs: job.until - job.from,
      paidMs: job.paidMs,
      earned,
      cost: microDollars(costs?.between(job.from, job.until) ?? 0),
      imputed: job.isImputed ? earned : 0,
    });
  });
  return { blocks };
}

/** The sum of both. Pure. */
export function added(a: Sums, b: Sums): Sums {
  return {
    jobs: a.jobs + b.jobs,
    busyMs: a.busyMs + b.busyMs,
    paidMs: a.paidMs + b.paidMs,
    earned: a.earned + b.earned,
    cost: a.cost + b.cost,
    imputed: a.imputed + b.imputed,
  };
}

/** The sum of all blocks. Pure. */
export function totalOf(blocks: readonly Sums[]): Sums {
  return blocks.reduce(added, NOTHING);
}

/** The sums of each day. Pure. */
export function daysOf(blocks: readonly Sums[]): readonly Sums[] {
  const perDay = DAY_MS / BLOCK_MS;
  return Array.from({ length: blocks.length / perDay }, (_, day) =>
    totalOf(blocks.slice(day * perDay, (day + 1) * perDay)),
  );
}
