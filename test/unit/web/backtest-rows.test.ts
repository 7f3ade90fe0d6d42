import { expect, test } from 'vitest';
import { backtestRows } from '../../../src/web/backtest-rows.ts';
import { formatsOf } from '../../../src/web/format.ts';

const range = (low: number, median: number, high: number) => ({ low, median, high });
const ASK = {
  ask: 0.05,
  inForce: true,
  earnedMicroDollars: range(2_000_000, 2_000_000, 2_000_000),
  netMicroDollars: null,
  jobs: range(3, 4, 5),
  busyShare: range(0.1, 0.1, 0.1),
  extrapolatedShare: 0.25,
};

test('rows of a backtest have ranges in words, and as parts of the highest', () => {
  const dear = {
    ...ASK,
    ask: 0.08,
    inForce: false,
    netMicroDollars: range(-1_000_000, 1_000_000, 4_000_000),
  };
  const rows = backtestRows({ asks: [ASK, dear] }, formatsOf(['en-US'], 'UTC'));
  expect(rows.map(({ cells }) => cells)).toEqual([
    ['$0.05 (now)', '$2.00', '', '3 to 5', '10%', '25%'],
    ['$0.08', '$2.00', '-$1.00 to $4.00', '3 to 5', '10%', '25%'],
  ]);
  expect(rows[0]).toMatchObject({ low: 0.5, median: 0.5, high: 0.5 });
  expect(rows[1]).toMatchObject({ low: 0, median: 0.25, high: 1 });
});

test('an ask that earns nothing has an empty range', () => {
  const none = { ...ASK, earnedMicroDollars: range(0, 0, 0) };
  expect(backtestRows({ asks: [none] }, formatsOf(['en-US'], 'UTC'))[0]).toMatchObject({ low: 0, high: 0 });
});
