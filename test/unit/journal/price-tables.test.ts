import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { PriceChange, PricingState } from '../../../src/domain/ports/price-store.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';
import { aNewJob } from '../../support/domain.ts';
import { openScratch, scratchDir, withJournal } from '../../support/journal/scratch.ts';

const AT = { wall: 1_000, boot: { boot: 'b', upMs: 5 } };
const STATE: PricingState = {
  offer: 'cpu',
  strategy: 'decay',
  start: 0.1,
  ask: 0.09,
  memory: { sold: 1 },
  terms: { hours: 4 },
  askedAt: AT,
  changedAt: AT,
  idleMs: { 'cpu#0': 60_000 },
  seenSeq: 7,
};
const CHANGE: PriceChange = {
  at: 1_000,
  offer: 'cpu',
  before: 0.1,
  ask: 0.09,
  strategy: 'decay',
  reason: 'idle',
  limitedBy: undefined,
  terms: { floor: 0.02 },
};

test('what a strategy remembers and every change outlive a restart', () => {
  const dir = scratchDir();
  withJournal(dir, ({ prices }) => {
    prices.save({ ...STATE, changedAt: undefined });
    prices.save(STATE, CHANGE);
    prices.save(STATE, { ...CHANGE, ask: 0.08, limitedBy: 'min' });
  });
  withJournal(dir, ({ prices }) => {
    expect(prices.state('cpu')).toEqual(STATE);
    expect(prices.state('gpu:other')).toBeUndefined();
    expect(prices.changes(9)).toEqual([{ ...CHANGE, ask: 0.08, limitedBy: 'min' }, CHANGE]);
    expect(prices.changes(1)).toHaveLength(1);
  });
});

test('the switch outlives a restart, with who moved it in the record', () => {
  const dir = scratchDir();
  const entry = { at: 5, by: 'alice', from: 'a test', action: 'price-freeze', detail: '{}' };
  withJournal(dir, ({ prices }) => prices.setFreeze({ at: 5, by: 'alice', note: undefined }, entry));
  withJournal(dir, ({ decisions, prices }) => {
    expect(prices.freeze()).toEqual({ at: 5, by: 'alice', note: undefined });
    prices.setFreeze(undefined, { ...entry, action: 'price-unfreeze' });
    expect(prices.freeze()).toBeUndefined();
    expect(decisions.audit(9).map(({ action }) => action)).toEqual(['price-unfreeze', 'price-freeze']);
  });
});

test('jobs that ended since are those of the offer, whether paid or not', () => {
  const clock = new ManualClock();
  const journal = openScratch(clock);
  const run = (uuid: string, offerKey: string, status: 'paid' | 'failed' | 'released'): void => {
    journal.insert(aNewJob({ uuid, offerKey, askPrice: 0.1 }));
    journal.transition(uuid, { name: 'claimed' });
    clock.advance(60_000);
    if (status === 'released') journal.transition(uuid, { name: 'releasing', why: 'x' });
    else {
      const report = {
        status: status === 'paid' ? JOB_STATUS.SUCCEEDED : JOB_STATUS.FAILED,
        buildLogs: '',
        stdout: '',
        stderr: '',
        result: '',
      };
      journal.transition(uuid, { name: 'finished', report, durationMs: 1 });
    }
  };
  run('a', 'cpu', 'paid');
  const before = journal.prices.lastSeq();
  run('b', 'cpu', 'failed');
  run('c', 'gpu:other', 'paid');
  run('d', 'cpu', 'released');
  run('e', 'cpu', 'paid');
  const { jobs, seq } = journal.prices.endedAfter('cpu', before);
  expect(jobs.map(({ isPaid }) => isPaid)).toEqual([false, false, true]);
  expect(jobs.map(({ from, until }) => until - from)).toEqual([60_000, 60_000, 60_000]);
  expect(journal.prices.endedAfter('cpu', seq).jobs).toEqual([]);
  // As after a time in which every job was deleted.
  expect(journal.prices.endedAfter('cpu', seq + 100).jobs).toHaveLength(4);
});
