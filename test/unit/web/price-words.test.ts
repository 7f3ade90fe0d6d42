import { expect, test } from 'vitest';
import type { Prices } from '../../../src/web/answers.ts';
import { formatsOf } from '../../../src/web/format.ts';
import { askFacts, changeText, frozenText } from '../../../src/web/price-words.ts';

const NOW = '2026-11-27T12:00:00.000Z';
const formats = formatsOf(['en-US'], 'UTC');
const OFFER: Prices['offers'][number] = {
  offer: 'gpu:NVIDIA T4',
  ask: 0.05,
  strategy: 'fixed',
  start: 0.05,
  min: null,
  max: null,
  floor: null,
  since: null,
  reason: null,
  why: null,
  hold: null,
  holdWhy: null,
  nextChangeAt: null,
  terms: {},
};
const factsOf = (offer: Partial<typeof OFFER>) => new Map(askFacts({ ...OFFER, ...offer }, NOW, formats));

test('a fixed ask has nothing to explain', () => {
  expect([...factsOf({})]).toEqual([['Strategy', 'fixed']]);
});

test('what moved an ask is said, with its limits', () => {
  const facts = factsOf({
    ask: 0.06,
    floor: 0.0551234,
    min: 0.04,
    max: 0.1,
    since: '2026-11-27T11:00:00.000Z',
    why: 'a job would cost more',
  });
  expect(facts.get('Begun at')).toBe('$0.05');
  expect(facts.get('A job costs')).toBe('$0.055 a minute');
  expect(facts.get('Limits')).toBe('$0.04 to $0.10');
  expect(facts.get('Since')?.replace(/\s/gu, ' ')).toBe('11:00 AM: a job would cost more');
  expect(factsOf({ min: 0.04 }).get('Limits')).toBe('at least $0.04');
  expect(factsOf({ max: 0.1 }).get('Limits')).toBe('at most $0.10');
});

test('a change says from what to what and why, on one line', () => {
  const change = { before: 0.05, ask: 0.06, why: 'a\nb' } as const;
  const whole = {
    ...change,
    at: NOW,
    offer: 'cpu',
    strategy: 'decay',
    reason: 'x',
    limitedBy: null,
    terms: {},
  };
  expect(changeText(whole, formats)).toBe(String.raw`$0.05 → $0.06: a\u{a}b`);
});

test('a note of a freeze is shown as text', () => {
  expect(frozenText({ at: NOW, by: 'me', note: '\u202ex' }, formats)).toContain(String.raw`me: \u{202e}x`);
});
