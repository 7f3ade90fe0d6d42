import { expect, test } from 'vitest';
import { backtestJson, backtestText } from '../../../src/cli/market/render-backtest.ts';
import { aPage } from '../../support/cli/page.ts';

type Shown = Parameters<typeof backtestJson>[0];

const range = (low: number, median: number, high: number) => ({ low, median, high });
const SHOWN: Shown = {
  from: Date.UTC(2026, 10, 20),
  until: Date.UTC(2026, 10, 27),
  offers: [
    {
      offer: 'gpu:a',
      slots: 2,
      askNow: 0.05,
      floor: 0.01,
      refused: null,
      figures: {
        coverage: 0.934,
        ownJobs: 57,
        earnedMicroDollars: 2_950_000,
        replayedMicroDollars: 2_970_000,
        runs: 800,
        draws: 40,
        asks: [
          {
            ask: 0.05,
            inForce: true,
            earnedMicroDollars: range(2_950_000, 2_950_000, 2_950_000),
            netMicroDollars: range(2_500_000, 2_500_000, 2_500_000),
            jobs: range(57, 57, 57),
            busyShare: range(0.3, 0.3, 0.3),
            extrapolatedShare: 0,
          },
          {
            ask: 0.08,
            inForce: false,
            earnedMicroDollars: range(3_100_000, 3_900_000, 4_600_000),
            netMicroDollars: range(-10_000, 3_500_000, 4_200_000),
            jobs: range(40, 44, 51),
            busyShare: range(0.2, 0.25, 0.29),
            extrapolatedShare: 0.31,
          },
        ],
        walkForward: {
          days: 6,
          chosenMicroDollars: 3_000_000,
          lastAsk: 0.08,
          askNowMicroDollars: 2_100_000,
          floorMicroDollars: null,
        },
      },
    },
    {
      offer: 'cpu',
      slots: 1,
      askNow: 0.01,
      floor: null,
      figures: null,
      refused: { code: 'BACKTEST_TOO_LITTLE', message: 'few jobs', hint: 'wait' },
    },
  ],
};

test('a table shows ranges, what is extrapolated, and one figure where nothing is unknown', () => {
  const text = backtestText(SHOWN, aPage(140));
  const lines = text.split('\n');
  expect(lines.find((line) => line.startsWith('$0.05'))).toMatch(/\(now\) +\$2\.95 +\$2\.50 +57 +30 % +0 %/);
  expect(lines.find((line) => line.startsWith('$0.08'))).toMatch(
    /\$3\.10 to \$4\.60 +-\$0\.01 to \$4\.20 +40 to 51 +20 % to 29 % +31 %/,
  );
  expect(lines.find((line) => line.startsWith('$0.08'))?.trimEnd()).toMatch(/\[-*\|-*\]$/);
  expect(text).toMatch(/coverage 93 %/);
  expect(text).toMatch(/BACKTEST_TOO_LITTLE/);
});

test('as JSON it has the figures as they are, and what they do not say', () => {
  const shown: unknown = JSON.parse(backtestJson(SHOWN));
  expect(shown).toMatchObject({ from: '2026-11-20T00:00Z', offers: SHOWN.offers });
  expect(shown).toHaveProperty('unknown');
});
