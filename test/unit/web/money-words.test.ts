import { expect, test } from 'vitest';
import type { Earnings } from '../../../src/web/answers.ts';
import { formatsOf } from '../../../src/web/format.ts';
import {
  amount,
  earningsCells,
  energyText,
  jobMoney,
  moneyNotes,
  netText,
} from '../../../src/web/money-words.ts';

const formats = formatsOf(['en-US'], 'UTC');

const SUMS: Earnings['total'] = {
  jobs: 2,
  confirmedMicroDollars: 1_250_000,
  pendingJobs: 0,
  pendingMicroDollars: 0,
  endedJobs: 2,
  energyJoules: 3_600_000,
  unmeasuredJobs: 0,
  estimatedJobs: 0,
  powerCostMicroDollars: 300_000,
  netMicroDollars: 950_000,
  unpricedJobs: 0,
};

test('what is not known is no amount', () => {
  expect(amount(null, formats)).toBe('–');
  expect(amount(0, formats)).toBe('$0.00');
  expect(amount(12_345, formats)).toBe('$0.0123');
  expect(energyText({ energyJoules: null, estimatedJobs: 3 }, formats)).toBe('–');
  expect(netText({ ...SUMS, netMicroDollars: null }, formats)).toBe('–');
});

test('a net of which a cost is missing, and an estimated energy, are marked', () => {
  expect(netText(SUMS, formats)).toBe('$0.95');
  expect(netText({ ...SUMS, unpricedJobs: 1 }, formats)).toBe('≤ $0.95');
  expect(energyText(SUMS, formats)).toBe('1.0 kWh');
  expect(energyText({ ...SUMS, energyJoules: 360_000, estimatedJobs: 1 }, formats)).toBe('~ 0.100 kWh');
});

test('days are listed newest first, names in the order of what they earned', () => {
  const rows = ['2026-11-26', '2026-11-27'].map((key) => ({ key, name: key, ...SUMS }));
  const first = (by: Earnings['by']) => earningsCells({ by, rows }, formats).rows[0]?.[0];
  expect(first('day')).toBe('Nov 27, 2026');
  expect(first('image')).toBe('2026-11-26');
  const others = earningsCells({ by: 'function', rows: [{ key: null, name: 'others', ...SUMS }] }, formats);
  expect(others.rows[0]?.[0]).toBe('all others');
});

test('a name of a buyer cannot reverse what follows', () => {
  const [row] = earningsCells(
    { by: 'function', rows: [{ key: 'a', name: '\u202eevil', ...SUMS }] },
    formats,
  ).rows;
  expect(row?.[0]).toBe(String.raw`\u{202e}evil`);
});

test('notes say only what there is to be said', () => {
  const nothing = { ms: 0, energyJoules: null, powerCostMicroDollars: null };
  expect(moneyNotes({ idle: nothing, total: SUMS }, formats)).toEqual([]);
  const idle = { ms: 1, energyJoules: 1, powerCostMicroDollars: null };
  const unsure = { ...SUMS, estimatedJobs: 1, unpricedJobs: 2 };
  expect(moneyNotes({ idle, total: unsure }, formats)).toHaveLength(3);
  expect(
    moneyNotes({ idle: nothing, total: { ...SUMS, powerCostMicroDollars: null } }, formats),
  ).toHaveLength(1);
});

test('a job has what is known of its money, and estimates are marked', () => {
  const job = {
    energyJoules: 360_000,
    isEnergyEstimate: true,
    powerCostMicroDollars: 30_000,
    isPowerCostEstimate: true,
    netMicroDollars: -20_000,
  };
  expect(jobMoney(job, formats)).toEqual([
    ['Energy', '~ 0.100 kWh'],
    ['Power cost', '~ $0.0300'],
    ['Net', '~ -$0.0200'],
  ]);
  const unknown = { ...job, energyJoules: null, powerCostMicroDollars: null, netMicroDollars: null };
  expect(jobMoney(unknown, formats).map(([, value]) => value)).toEqual([null, null, null]);
});
