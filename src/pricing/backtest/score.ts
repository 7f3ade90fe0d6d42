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
};

/** The jobs that were claimed in six hours: all, and those that this host has not run in fact. */
export type Block = { readonly all: Sums; readonly imputed: Sums };

/** What one world brings at one ask, block by block. */
export type Score = { readonly blocks: readonly Block[] };

/** What a replay is counted by. */
export type Counting = {
  readonly from: number;
  readonly until: number;
  readonly costs: CostCurve | undefined;
};

const NOTHING: Sums = { jobs: 0, busyMs: 0, paidMs: 0, earned: 0, cost: 0 };

/** Sells the slots in a world and counts. A `yield` follows each small part of the work. */
export function* scoreOf(
  replay: Replay,
  world: World,
  { costs, from, until }: Counting,
): Generator<void, Score> {
  const count = Math.max(1, Math.ceil((until - from) / DAY_MS)) * (DAY_MS / BLOCK_MS);
  const blocks = Array.from({ length: count }, (): Block => ({ all: NOTHING, imputed: NOTHING }));
  yield* replay.sell(world, (job) => {
    const block = Math.floor((job.from - from) / BLOCK_MS);
    const { all = NOTHING, imputed = NOTHING } = blocks[block] ?? {};
    const sums = {
      jobs: 1,
      busyMs: job.until - job.from,
      paidMs: job.paidMs,
      earned: microDollars((job.ask * job.paidMs) / 60_000),
      cost: microDollars(costs?.between(job.from, job.until) ?? 0),
    };
    blocks[block] = { all: added(all, sums), imputed: job.isImputed ? added(imputed, sums) : imputed };
  });
  return { blocks };
}

/** The sum of both. Pure. */
function added(a: Sums, b: Sums): Sums {
  return {
    jobs: a.jobs + b.jobs,
    busyMs: a.busyMs + b.busyMs,
    paidMs: a.paidMs + b.paidMs,
    earned: a.earned + b.earned,
    cost: a.cost + b.cost,
  };
}

/** The sum of all blocks. Pure. */
export function totalOf(blocks: readonly Block[]): Sums {
  return sumOf(blocks.map(({ all }) => all));
}

/** The sum. Pure. */
export function sumOf(sums: readonly Sums[]): Sums {
  return sums.reduce(added, NOTHING);
}

/** The sums of each day. Pure. */
export function daysOf(blocks: readonly Block[]): readonly Sums[] {
  const perDay = DAY_MS / BLOCK_MS;
  return Array.from({ length: blocks.length / perDay }, (_, day) =>
    totalOf(blocks.slice(day * perDay, (day + 1) * perDay)),
  );
}
