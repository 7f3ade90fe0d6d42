import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PRICES_FILE, PriceFeed } from '../../../src/tariff/price-feed.ts';
import { failed } from '../../../src/tariff/sources.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';
import { logged, logInto } from '../../support/log/log-into.ts';

const HOUR = 3_600_000;

/** A feed whose source answers what the test says. */
async function feedOf(
  more: {
    readonly stateDir?: string;
    readonly key?: string;
    readonly rate?: number;
    readonly hasFallback?: boolean;
  } = {},
) {
  const stateDir = more.stateDir ?? (await mkdtemp(join(tmpdir(), 'prices-')));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const clock = new ManualClock();
  const lines: string[] = [];
  let answer: readonly (readonly [hour: number, price: number])[] | Error = [];
  const source = {
    name: 'test',
    key: more.key ?? 'test',
    read: () =>
      answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(
            JSON.stringify(
              answer.map(([hour, pricePerKWh]) => ({
                from: new Date(hour * HOUR).toISOString(),
                until: new Date((hour + 1) * HOUR).toISOString(),
                pricePerKWh,
              })),
            ),
          ),
  };
  const rate = () => more.rate ?? 1;
  const hasFallback = () => more.hasFallback === true;
  const log = logInto(lines);
  const feed = new PriceFeed({ source, rate, hasFallback, stateDir, clock, log, random: () => 1 });
  const now = Math.floor(clock.now() / HOUR);
  return {
    feed,
    warnings: () => logged(lines, 'electricity-prices-failed').length,
    inForce: () => logged(lines, 'electricity-prices-failed').map((line) => line['inForce']),
    stateDir,
    clock,
    now,
    read: (next: typeof answer) => {
      answer = next;
      return feed.read(new AbortController().signal);
    },
    prices: () => feed.points.map(({ from, price }) => [from / HOUR - now, price]),
  };
}

test('keeps what was read, over a restart too', async () => {
  const first = await feedOf();
  const { now } = first;
  expect(first.feed.isStale).toBe(true);
  expect(
    await first.read([
      [now, 0.3],
      [now + 1, 0.2],
    ]),
  ).toBe(true);
  expect(first.feed.isStale).toBe(false);
  const again = await feedOf({ stateDir: first.stateDir });
  expect(again.prices()).toEqual([
    [0, 0.3],
    [1, 0.2],
  ]);
  const other = await feedOf({ stateDir: first.stateDir, key: 'another source' });
  expect(other.feed.points).toEqual([]);
});

test('replaces what is published again, and keeps what is not', async () => {
  const { now, prices, read } = await feedOf();
  await read([
    [now, 0.3],
    [now + 1, 0.2],
    [now + 2, 0.1],
  ]);
  await read([[now + 1, 0.5]]);
  expect(prices()).toEqual([
    [0, 0.3],
    [1, 0.5],
    [2, 0.1],
  ]);
});

test('an answer about the past only is a failure that loses nothing', async () => {
  const { feed, now, read, warnings } = await feedOf();
  expect(await read([[now - 3, 0.3]])).toBe(false);
  expect(feed.isStale).toBe(true);
  expect(warnings()).toBe(1);
  expect(await read([[now, 0.3]])).toBe(true);
  expect(await read([[now - 5, 0.1]])).toBe(true);
  expect(feed.isStale).toBe(false);
});

test('a price of another unit is not taken', async () => {
  const { feed, now, read } = await feedOf({ rate: 1.1 });
  expect(await read([[now, 85]])).toBe(false);
  expect(await read([[now, 1e300]])).toBe(false);
  expect(feed.points).toEqual([]);
  expect(await read([[now, -0.1]])).toBe(true);
});

test('a failure is said once, and what is known stays', async () => {
  const { feed, now, read, warnings } = await feedOf();
  await read([[now, 0.3]]);
  for (let time = 0; time < 3; time += 1) expect(await read(failed('no answer'))).toBe(false);
  expect(warnings()).toBe(1);
  expect(feed.points).toHaveLength(1);
});

test.each([
  [true, ['configured', 'published', 'configured']],
  [false, ['none', 'published', 'assumed']],
])('a failure says which price is in force, with one of the owner: %s', async (hasFallback, said) => {
  const { clock, inForce, now, read } = await feedOf({ hasFallback });
  await read(failed('no answer'));
  await read([[now, 0.3]]);
  await read(failed('no answer'));
  await read(failed('no answer'));
  clock.advance(HOUR);
  await read(failed('no answer'));
  await read(failed('no answer'));
  expect(inForce()).toEqual(said);
});

test('a broken file is as none', async () => {
  const { now, read, stateDir } = await feedOf();
  await read([[now, 0.3]]);
  expect(JSON.parse(await readFile(join(stateDir, PRICES_FILE), 'utf8'))).toBeTypeOf('object');
  await writeFile(join(stateDir, PRICES_FILE), '{"source":');
  expect((await feedOf({ stateDir })).feed.points).toEqual([]);
});

test('prices that cannot be kept count all the same', async () => {
  const { feed, now, read, stateDir, warnings } = await feedOf();
  await rm(stateDir, { recursive: true });
  await writeFile(stateDir, 'no directory');
  expect(await read([[now, 0.3]])).toBe(true);
  expect(await read([[now, 0.3]])).toBe(true);
  expect(feed.isStale).toBe(false);
  expect(warnings()).toBe(1);
});

test('a time is covered where no part of it is missing', async () => {
  const { feed, now, read } = await feedOf();
  await read([
    [now, 0.3],
    [now + 1, 0.2],
    [now + 3, 0.1],
  ]);
  expect(feed.covers(now * HOUR, (now + 2) * HOUR)).toBe(true);
  expect(feed.covers((now + 1) * HOUR + 1, (now + 2) * HOUR + 1)).toBe(false);
  expect(feed.covers((now - 1) * HOUR, (now + 1) * HOUR)).toBe(false);
});

test('prices of the far future only, or a clock that was set back, are stale', async () => {
  const { clock, feed, now, read } = await feedOf();
  expect(await read([[now + 240, 0.3]])).toBe(false);
  expect(feed.points).toHaveLength(1);
  expect(await read([[now, 0.2]])).toBe(true);
  clock.advance(-5 * HOUR);
  expect(feed.isStale).toBe(true);
});
