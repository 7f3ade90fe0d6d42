import { describe, expect, test } from 'vitest';
import type { JobRow } from '../../../src/web/answers.ts';
import { listOf, withFreshShown, withNewest, withOlder } from '../../../src/web/job-list.ts';
import { payOf, stateWords, whyUnpaid } from '../../../src/web/job-words.ts';

function aRow(change: Partial<JobRow> = {}): JobRow {
  return {
    job: 'a',
    run: 'r',
    function: 'f',
    offer: 'o',
    gpu: null,
    image: 'i',
    state: 'running',
    outcome: null,
    why: null,
    durationMs: null,
    askPrice: 0.1,
    earned: null,
    sentBytes: null,
    receivedBytes: null,
    address: null,
    claimedAt: '2026-11-27T08:00:00.000Z',
    updatedAt: '2026-11-27T08:00:00.000Z',
    ...change,
  };
}

const ids = (rows: readonly JobRow[]): string => rows.map(({ job }) => job).join('');
const rows = (names: string): JobRow[] => names.split('').map((job) => aRow({ job }));

describe('the list of jobs', () => {
  test('keeps new jobs apart until they are shown, and changes others in their places', () => {
    const newest = [...rows('ed'), aRow({ job: 'c', state: 'finished' }), ...rows('b')];
    const list = withNewest(listOf(rows('cba'), null), newest, false);
    expect(ids(list.rows)).toBe('cba');
    expect(list.rows[0]?.state).toBe('finished');
    expect(ids(list.fresh)).toBe('ed');
    expect(list.hasHole).toBe(false);
    expect(ids(withFreshShown(list).rows)).toBe('edcba');
  });

  test('does not count a new job twice, and puts newer ones before it', () => {
    const once = withNewest(listOf(rows('ba'), null), rows('cb'), false);
    expect(ids(withNewest(once, rows('dcb'), false).fresh)).toBe('dc');
  });

  test('keeps the rows that have not changed, so that they are not drawn again', () => {
    const list = listOf(rows('ba'), null);
    expect(withNewest(list, rows('ba'), true).rows).toBe(list.rows);
  });

  test('knows that there is a hole when no new job meets a shown one', () => {
    expect(withNewest(listOf(rows('ba'), null), rows('zyx'), false).hasHole).toBe(true);
    expect(withNewest(listOf([], null), rows('zyx'), true).hasHole).toBe(false);
  });

  test('goes on without repeating a job', () => {
    const list = withOlder(listOf(rows('dc'), 3), rows('cba'), null);
    expect(ids(list.rows)).toBe('dcba');
    expect(list.next).toBeNull();
  });
});

describe('what a job earns', () => {
  test.for<[Partial<JobRow>, ReturnType<typeof payOf>, string | undefined]>([
    [{ state: 'running' }, 'open', undefined],
    [{ state: 'finished', outcome: 'succeeded' }, 'pending', undefined],
    [{ state: 'finished', outcome: 'timeout' }, 'pending', undefined],
    [{ state: 'finished', outcome: 'failed' }, 'unpaid', 'failed jobs are not paid'],
    [{ state: 'reported', outcome: 'succeeded', earned: 0.2 }, 'paid', undefined],
    [{ state: 'reported', outcome: 'succeeded', earned: 0 }, 'unpaid', 'the broker paid nothing for it'],
    [{ state: 'released', why: 'the owner took the GPU back' }, 'unpaid', 'the owner took the GPU back'],
    [{ state: 'dropped', why: null }, 'unpaid', undefined],
  ])('%j: %s, %s', ([change, pay, why]) => {
    const row = aRow(change);
    expect(payOf(row)).toBe(pay);
    expect(whyUnpaid(row)).toBe(why);
  });

  test('a state that this page does not know is shown as it is', () => {
    expect(stateWords({ state: 'hibernating', outcome: null }).words).toBe('hibernating');
  });
});
