import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HOST, outcomeOf } from '../../../../bench/simulator/contest.ts';
import { asksOf, marketOf } from '../../../../bench/simulator/market.ts';
import { readRecording } from '../../../../bench/simulator/recording.ts';
import { replayedMarket } from '../../../../bench/simulator/replay.ts';
import { drawnShape, SHAPES, type Shape } from '../../../../bench/simulator/shapes.ts';
import { simulate } from '../../../../bench/simulator/simulate.ts';
import type { JournaledJob } from '../../../../src/journal/own-jobs.ts';
import type { SeenRun } from '../../../../src/pricing/backtest/observed.ts';
import { fixedAsk } from '../../../../src/pricing/fixed-ask.ts';
import { writeHistory } from '../../../support/market/recorded-history.ts';

const START = Date.UTC(2026, 10, 23);
const DAYS = 7;
const SEED = 1009;
const FLOOR = 0.00125;

/** A simulated market that our host recorded, while it sold at the ask of `setup` or was there without an offer. */
function recorded(shape: Shape, { isOffering = true } = {}) {
  const market = marketOf(shape, SEED, DAYS);
  let seen: readonly SeenRun[] = [];
  const ask = isOffering ? fixedAsk(asksOf(market), FLOOR) : Number.POSITIVE_INFINITY;
  const { jobs, net } = simulate(market, HOST, { ask: (of) => ((seen = [...of.seen]), ask) }, SEED);
  const directory = mkdtempSync(join(tmpdir(), 'replay-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeHistory(directory, { start: START, endsAt: market.endsAt, asks: asksOf(market), seen });
  const file = join(directory, 'market.db');
  return { file, net, jobs: jobs.map(journaled), recording: readRecording(file, undefined, 30) };
}

function journaled(
  { ask, earned, from, isPaid, run, until }: ReturnType<typeof simulate>['jobs'][number],
  index: number,
): JournaledJob {
  return {
    job: `job-${index}`,
    run: run.uuid,
    function: run.function,
    image: 'image',
    offer: 'gpu',
    ask,
    from: START + from,
    until: START + until,
    hasEnded: true,
    paidMs: isPaid ? until - from : 0,
    microDollars: Math.round(earned * 1e6),
    energy: undefined,
  };
}

/** What a fixed ask nets on the replay, as the mean of three draws. */
function replayedNet(
  recording: Parameters<typeof replayedMarket>[0],
  { dollarsPerKWh, jobs }: Shape,
): number {
  const nets = [1, 2, 3].map((seed) => {
    const market = replayedMarket(recording, { dollarsPerKWh, jobs }, seed);
    return outcomeOf(market, HOST, 'fixed', seed).net;
  });
  return nets.reduce((sum, net) => sum + net, 0) / nets.length;
}

const shapes = [...SHAPES.filter(({ name }) => name !== 'busy'), drawnShape(5041)];

describe('a replay of a recorded market', () => {
  test.each(shapes)('with the jobs of its host nets what that did, within 15 %: $name', (shape) => {
    const { jobs, net, recording } = recorded(shape);
    const ratio = replayedNet({ ...recording, jobs }, shape) / net;
    expect(ratio).toBeGreaterThan(0.85);
    expect(ratio).toBeLessThan(1.15);
  });

  test('without them lacks what was claimed between two polls', () => {
    const [thin = drawnShape(1)] = SHAPES;
    const { net, recording } = recorded(thin);
    expect(replayedNet(recording, thin) / net).toBeLessThan(0.8);
  });

  test('is repeated by its seed, and differs by it in how jobs of others go alone', () => {
    const [thin = drawnShape(1)] = SHAPES;
    const { recording } = recorded(thin);
    const of = (seed: number) => replayedMarket(recording, thin, seed).runs;
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    const bare = (seed: number) => of(seed).map(({ jobs, ...run }) => [run, jobs.length]);
    expect(bare(1)).toEqual(bare(2));
  });

  test('has the tariff of its hours, and what others asked', () => {
    const { file } = recorded(drawnShape(5133), { isOffering: false });
    const whole = readRecording(file, 'Nvidia Test', 30);
    const recording = readRecording(file, 'Nvidia Test', 2.25);
    expect(recording.until - recording.from).toBe(54 * 3_600_000);
    expect(recording.runs.length).toBeLessThan(whole.runs.length);
    const market = replayedMarket(whole, { ...drawnShape(5133), dollarsPerKWh: (hour) => hour }, 1);
    expect([0, 5, 25].map((hour) => market.shape.dollarsPerKWh(hour))).toEqual([0, 5, 1]);
    const late = replayedMarket(recording, { ...drawnShape(5133), dollarsPerKWh: (hour) => hour }, 1);
    // Two days and a quarter before midnight.
    expect(late.shape.dollarsPerKWh(0)).toBe(18);
    expect(asksOf(market)).toEqual(asksOf(marketOf(drawnShape(5133), SEED, DAYS)).toSorted((a, b) => a - b));
  });

  test('leaves the file as it is', () => {
    const { file } = recorded(drawnShape(5133));
    const before = readFileSync(file);
    expect(readRecording(file, undefined, 30).coverage).toBe(1);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('refuses a GPU that nobody asked anything for, and names those there are', () => {
    const { file } = recorded(drawnShape(5133));
    expect(() => readRecording(file, 'Nvidia Tset', 30)).toThrow('Nvidia Test');
  });

  test.each([
    ['is not there', 'none.db', 'no such file'],
    ['is no market history', 'package.json', 'not a database'],
  ])('refuses a file that %s', (_, file, why) => {
    expect(() => readRecording(file, undefined, 30)).toThrow(why);
  });
});
