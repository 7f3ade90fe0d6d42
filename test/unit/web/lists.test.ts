import { describe, expect, test } from 'vitest';
import type { Configuration, LiveEvent, Market } from '../../../src/web/answers.ts';
import { eventsOf, joined } from '../../../src/web/event-list.ts';
import { groupsOf, isTaken, reasonWords, runsOf, verdictsOf } from '../../../src/web/market-groups.ts';
import { optionGroups } from '../../../src/web/option-groups.ts';

type Run = Market['runs'][number];

function aRun(run: string, bid: number, verdicts: Run['verdicts'] = []): Run {
  return { run, function: `fn-${run}`, image: null, bid, openJobs: 1, createdAt: null, verdicts };
}

describe('the market', () => {
  const low = aRun('low', 0.01, [{ offer: 'A', reason: 'bid-below-ask', what: '0.01 of 0.05' }]);
  const high = aRun('high', 0.2, [
    { offer: 'A', reason: null, what: null },
    { offer: 'B', reason: 'no-slot', what: null },
  ]);
  const runs = [low, high];

  test('lists the best bids first, and what would be taken or is skipped for a reason', () => {
    const all = { text: '', reason: '', onlyTaken: false };
    const listed = (change: Partial<typeof all>) =>
      runsOf({ runs }, { ...all, ...change }).map(({ run }) => run);
    expect(listed({})).toEqual(['high', 'low']);
    expect(listed({ onlyTaken: true })).toEqual(['high']);
    expect(listed({ reason: 'bid-below-ask' })).toEqual(['low']);
    expect(listed({ text: 'FN-LO' })).toEqual(['low']);
    expect(isTaken(low)).toBe(false);
  });

  test('groups what is skipped by reason, the most frequent first', () => {
    const groups = groupsOf({
      skipped: [
        { offer: 'A', reason: 'no-slot', runs: 2 },
        { offer: 'A', reason: 'bid-below-ask', runs: 5 },
        { offer: 'B', reason: 'no-slot', runs: 9 },
      ],
    });
    expect(groups.map(({ most, reason }) => [reason, most])).toEqual([
      ['no-slot', 9],
      ['bid-below-ask', 5],
    ]);
    expect([...(groups[0]?.runs ?? [])]).toEqual([
      ['A', 2],
      ['B', 9],
    ]);
  });

  test('names offers only where their verdicts differ', () => {
    expect(verdictsOf(low)).toEqual([{ offers: [], isTaken: false, words: '0.01 of 0.05' }]);
    expect(verdictsOf(high)).toEqual([
      { offers: ['A'], isTaken: true, words: 'would be taken' },
      { offers: ['B'], isTaken: false, words: reasonWords('no-slot') },
    ]);
  });

  test('shows a reason that this page does not know as it is', () => {
    expect(reasonWords('on-strike')).toBe('on-strike');
  });
});

describe('events', () => {
  const event = (seq: number, level: LiveEvent['level'], message = 'm', fields = {}): LiveEvent => ({
    seq,
    at: '2026-11-27T08:00:00.000Z',
    level,
    event: 'job-claimed',
    message,
    fields,
  });

  test('are listed from a level on, the newest first, by any of their text', () => {
    const events = [
      event(1, 'debug'),
      event(2, 'warn', 'Docker is slow'),
      event(3, 'error', 'm', { job: 'abc' }),
    ];
    const listed = (level: string, text = '') => eventsOf(events, { level, text }).map(({ seq }) => seq);
    expect(listed('')).toEqual([3, 2, 1]);
    expect(listed('warn')).toEqual([3, 2]);
    expect(listed('', 'docker')).toEqual([2]);
    expect(listed('', '"abc"')).toEqual([3]);
  });

  test('of two sources are there once each, in order', () => {
    const older = [event(1, 'info'), event(2, 'info')];
    expect(joined(older, [event(2, 'info'), event(3, 'info')]).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});

test('options that were changed come first, the others by group, those with a text in them', () => {
  const option = (name: string, group: string, source = 'default'): Configuration['options'][number] => ({
    option: name,
    group,
    source,
    value: 'v',
    secret: false,
    reloads: false,
    help: `what ${name} does`,
  });
  const options = [option('a', 'Offer'), option('b', 'Jobs', '--b'), option('c', 'Jobs')];
  const titles = (text: string) =>
    optionGroups(options, text).map((group) => [
      group.title,
      group.options.map((one) => one.option).join(''),
    ]);
  expect(titles('')).toEqual([
    ['Changed from the default', 'b'],
    ['Offer', 'a'],
    ['Jobs', 'c'],
  ]);
  expect(titles('--C')).toEqual([['Jobs', 'c']]);
  expect(titles('nothing like it')).toEqual([]);
});
