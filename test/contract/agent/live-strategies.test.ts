import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readRecording } from '../../../bench/simulator/recording.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { textWith } from '../../support/broker/like.ts';
import { type Call, faults } from '../../support/faults/http-proxy.ts';
import { HOUR_MS, LiveOffer } from '../../support/market/live-offer.ts';

const START = 0.1;
const OWNER = { by: 'alice', from: 'a test' };

/** Changes are an hour apart by the clock that cannot be set, whose readings are whole milliseconds. */
const ROUNDING_MS = 5;

const isList = ({ method, path }: Call): boolean => method === 'GET' && path === '/api/v1/runs';

/** What holds for any strategy and market. */
function expectLawful(live: LiveOffer): void {
  const { floor, max, min } = live.settings;
  const { changes } = live;
  let [ask, at] = [START, 0];
  for (const change of changes) {
    expect(change.before).toBe(ask);
    expect(change.ask).toBeGreaterThanOrEqual(Math.max(min, floor));
    expect(change.ask).toBeLessThanOrEqual(max);
    expect(change.at - at).toBeGreaterThanOrEqual(HOUR_MS - ROUNDING_MS);
    ({ ask, at } = change);
  }
  expect(live.ask).toBe(ask);
  const reported = live.env.events.filter((event) => event.kind === 'ask-changed');
  expect(reported.map((event) => [event.at, event.ask, event.reason])).toEqual(
    changes.map((change) => [change.at, change.ask, change.reason]),
  );
}

/** Each job was claimed and paid at the ask in force, and none whose buyer bids less. */
function expectPaidAtAsk({ agent, changes, env }: LiveOffer, jobs: readonly JobRow[]): void {
  for (const { askPrice, assignedAt, cost, finishedAt, run, uuid } of jobs) {
    const ask = changes.findLast(({ at }) => at <= (assignedAt ?? 0))?.ask ?? START;
    expect(askPrice).toBe(ask);
    expect(agent.journal.get(uuid)?.askPrice).toBe(ask);
    expect(cost).toBeCloseTo((ask * ((finishedAt ?? 0) - (assignedAt ?? 0))) / 60_000, 6);
    expect(env.broker.store.market.runs.get(run).bidPrice).toBeGreaterThanOrEqual(ask);
  }
}

describe('decay', { timeout: 300_000 }, () => {
  const settings = { strategy: 'decay', min: 0.05, max: START, floor: 0.09, over: 'hours' } as const;

  test('moves the ask by what buyers bid, from the floor to --ask-max, and sells at it', async () => {
    await using live = await LiveOffer.open(settings);
    const near = live.order(5, 0.0915);
    const low = live.order(30, 0.085);
    await live.passUntil(() => live.jobs([near]).length === 5, 6);
    const falls = live.changes;
    expect(falls[0]).toMatchObject({ ask: 0.098, reason: 'demand-below', limitedBy: undefined });
    // A little above the floor, which may rise a little at any time.
    expect(falls.at(-1)).toMatchObject({ ask: 0.0909, limitedBy: 'floor' });
    expect(live.ask).toBe(0.0909);
    expect(live.jobs([near]).every(({ askPrice }) => askPrice === 0.0909)).toBe(true);
    expect(live.jobs([low])).toEqual([]);

    await live.restart();
    const high = live.order(40, 0.2);
    await live.passUntil(() => live.ask === START, 9);
    const rises = live.changes.slice(falls.length);
    expect(rises.length).toBeGreaterThan(3);
    expect(rises.at(-1)).toMatchObject({ reason: 'demand-above' });
    await live.pass(2.5);
    expect(live.ask).toBe(START);
    const later = await live.sell(0.2);
    expect(live.jobs([later])).toMatchObject([{ askPrice: START }]);
    expectLawful(live);
    expectPaidAtAsk(live, live.jobs([near, low, high, later]));
  });

  test('leaves what can be replayed: the market, and the jobs that its journal has of it', async () => {
    await using live = await LiveOffer.open(settings);
    const low = live.order(2, 0.085);
    // What is replayed begins and ends at whole hours.
    await live.pass(1.2);
    const sold = await live.sell(0.2);
    await live.pass(1.5);
    const file = join(live.env.directory, 'state', 'market.db');
    const { coverage, jobs, runs } = readRecording(file, 'cpu', 30);
    expect(coverage).toBe(1);
    expect(runs.map(({ bid, jobs: many, run }) => [run, bid, many])).toContainEqual([low, 0.085, 2]);
    expect(jobs).toMatchObject([{ run: sold, ask: live.jobs([sold])[0]?.askPrice, hasEnded: true }]);
  });

  test('leaves the ask where it is while the market is out of date, and while the owner has frozen it', async () => {
    await using live = await LiveOffer.open(settings);
    const { env } = live;
    live.order(30, 0.0915);
    await live.pass(1.3);
    const holds = (): readonly unknown[] =>
      env.events.flatMap((event) => (event.kind === 'ask-strategy-held' ? [event.hold] : []));
    expect(live.changes).toHaveLength(1);
    env.proxy.plan = (call) => (isList(call) ? faults.serverError : undefined);
    await live.pass(3);
    expect(live.changes).toHaveLength(1);
    expect(holds().at(-1)).toBe('market-stale');

    env.proxy.plan = () => undefined;
    live.agent.agent.pricer.freeze(undefined, OWNER);
    await live.pass(2);
    expect(live.changes).toHaveLength(1);
    expect(live.agent.agent.pricer.views).toMatchObject([{ hold: 'frozen', nextChangeAt: undefined }]);
    live.agent.agent.pricer.unfreeze(OWNER);
    await live.pass(0.5);
    expect(holds()).toEqual(['market-unknown', undefined, 'market-stale', 'frozen', undefined]);
    expect(live.changes).toHaveLength(2);
    expectLawful(live);
  });
});

describe('apply-advice', { timeout: 300_000 }, () => {
  test('asks once a day what would have earned more, and comes back when that is gone', async () => {
    await using live = await LiveOffer.open({
      strategy: 'apply-advice',
      min: 0.085,
      max: 0.12,
      floor: 0.01,
      over: 'days',
    });
    const sold: string[] = [];
    for (let hours = 0; live.changes.length === 0 && hours < 52; hours += 2) {
      const left = hours % 4 === 0 ? live.order(1, 0.095) : undefined;
      sold.push(await live.sell(0.105));
      await live.pass(1.95);
      if (left !== undefined) live.withdraw(left);
    }
    expect(live.changes).toMatchObject([
      { ask: 0.089286, reason: 'advised', limitedBy: undefined, terms: { days: 2 } },
    ]);
    expect(live.ask).toBe(0.089286);

    for (let hours = 0; live.changes.length === 1 && hours < 28; hours += 2) {
      for (let job = 0; job < 4; job += 1) sold.push(await live.sell(0.2));
      await live.pass(1.9);
    }
    // Which of the two depends on how long jobs took.
    const reason = textWith(/^(?:advised|undecided)$/);
    expect(live.changes).toMatchObject([{ ask: 0.089286 }, { ask: START, reason }]);
    const [fell = 0, rose = 0] = live.changes.map(({ at }) => at);
    expect(rose - fell).toBeGreaterThanOrEqual(24 * HOUR_MS);
    expectLawful(live);
    expectPaidAtAsk(live, live.jobs(sold));
  });
});
