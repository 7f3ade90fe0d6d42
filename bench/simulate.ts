import { parseArgs } from 'node:util';
import { STRATEGY_NAMES, type StrategyName } from '../src/pricing/strategy/strategies.ts';
import { type Contest, contest, type MarketKind, ofShape, type Standing } from './simulator/contest.ts';
import { OPTIONS } from './simulator/options.ts';
import { type Recording, readRecording } from './simulator/recording.ts';
import { replayedMarket } from './simulator/replay.ts';
import { readShape } from './simulator/shape-file.ts';
import { drawnShape, SEEDS, SHAPES, type Shape } from './simulator/shapes.ts';

/*
 * `npm run simulate [-- OPTIONS]`: what each strategy of asks nets on simulated markets, or on one that an agent recorded, beside the fixed ask of `setup` and
 * the best fixed ask in hindsight. docs/economics.md explains the options and the figures.
 */

const USAGE = `usage: npm run simulate -- [--shape NAME]... [--drawn SEED]... [--market FILE]... [--replay FILE [--gpu NAME]]...
  [--strategy NAME]... [--seed FIRST] [--seeds N] [--days N]
  [--slots N] [--watts N] [--fee PART] [--per-kwh DOLLARS] [--json]
shapes: ${SHAPES.map(({ name }) => name).join(', ')}
strategies: ${STRATEGY_NAMES.join(', ')}`;

/** Where a recording says neither how jobs go nor what electricity costs, as on most of the simulated markets. */
const USUAL_JOBS = { perRun: 3, medianMinutes: 12, spread: 0.9, failing: 0.06, endless: 0.02 };
const USUAL_PER_KWH = 0.3;

function contestOf(args: readonly string[]): Contest & { readonly help: boolean; readonly json: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: OPTIONS,
  });
  const shapes = [
    ...values.shape.map(shapeNamed),
    ...values.drawn.map((seed) => drawnShape(numberOf(seed, 0, 2 ** 32))),
    ...values.market.map(readShape),
  ];
  const days = numberOf(values.days, 1, 365);
  const perKWh = values['per-kwh'] === undefined ? undefined : numberOf(values['per-kwh'], 0, 100);
  const replays = values.replay.map((file) => replayOf(readRecording(file, values.gpu, days), perKWh));
  const priced = (shape: Shape): Shape =>
    perKWh === undefined ? shape : { ...shape, dollarsPerKWh: () => perKWh };
  const named = values.strategy.map(strategyNamed);
  return {
    markets: [
      ...(shapes.length + replays.length > 0 ? shapes : SHAPES).map((shape) => ofShape(priced(shape), days)),
      ...replays,
    ],
    strategies: named.length > 0 ? named : STRATEGY_NAMES,
    seeds: seedsOf(values.seed, numberOf(values.seeds, 1, SEEDS.length)),
    host: {
      slots: numberOf(values.slots, 1, 64),
      marginalW: numberOf(values.watts, 0, 10_000),
      brokerFee: numberOf(values.fee, 0, 0.99),
    },
    help: values.help,
    json: values.json,
  };
}

/** Those of the comparison, or as many from one on. */
function seedsOf(first: string | undefined, count: number): readonly number[] {
  if (first === undefined) return SEEDS.slice(0, count);
  const from = numberOf(first, 0, 2 ** 31);
  return Array.from({ length: count }, (_, index) => from + index);
}

/** The market that was recorded, on which chance draws how the jobs of others would have gone. Says what is known. */
function replayOf(recording: Recording, perKWh = USUAL_PER_KWH): MarketKind {
  const { coverage, from, jobs, name, others, runs, until } = recording;
  const days = ((until - from) / 86_400_000).toFixed(1);
  const baseline =
    others.length === 0
      ? 'nobody else’s asks: the fixed ask is twice the floor'
      : `asks of ${others.length} other offers`;
  process.stderr.write(
    `${name}: ${runs.length} runs over ${days} days, polled ${(100 * coverage).toFixed(0)} % of the time, ${jobs.length} own jobs, ${baseline}\n`,
  );
  return {
    name,
    of: (seed) => replayedMarket(recording, { jobs: USUAL_JOBS, dollarsPerKWh: () => perKWh }, seed),
  };
}

function shapeNamed(name: string): Shape {
  const shape = SHAPES.find((one) => one.name === name);
  if (shape === undefined) throw new Error(`no such shape: ${name}`);
  return shape;
}

function strategyNamed(name: string): StrategyName {
  const strategy = STRATEGY_NAMES.find((one) => one === name);
  if (strategy === undefined) throw new Error(`no such strategy: ${name}`);
  return strategy;
}

function numberOf(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!(value >= min && value <= max)) throw new Error(`not a number from ${min} to ${max}: ${text}`);
  return value;
}

const HEAD = ['shape', 'strategy', 'net', 'to fixed', '95 %', 'to best', 'busy', 'changes', 'below cost'];
const WIDTHS = [14, 12, 9, 8, 11, 7, 5, 7, 10];

function lineOf(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index < 2 ? cell.padEnd(WIDTHS[index] ?? 0) : cell.padStart(WIDTHS[index] ?? 0)))
    .join('  ');
}

function cellsOf({
  belowCost,
  busyShare,
  changes,
  net,
  shape,
  strategy,
  toBest,
  toFixed,
}: Standing): readonly string[] {
  return [
    shape,
    strategy,
    net.toFixed(2),
    toFixed.ratio.toFixed(3),
    `${toFixed.low.toFixed(2)}-${toFixed.high.toFixed(2)}`,
    toBest.ratio.toFixed(3),
    `${Math.round(busyShare * 100)}%`,
    changes.toFixed(0),
    String(belowCost),
  ];
}

try {
  const { help, json, ...of } = contestOf(process.argv.slice(2));
  const standings: Standing[] = [];
  if (help) process.stdout.write(`${USAGE}\n`);
  else if (!json) process.stdout.write(`${lineOf(HEAD)}\n`);
  for (const standing of help ? [] : contest(of)) {
    standings.push(standing);
    if (!json) process.stdout.write(`${lineOf(cellsOf(standing))}\n`);
  }
  if (json && !help) process.stdout.write(`${JSON.stringify(standings, undefined, 2)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 2;
}
