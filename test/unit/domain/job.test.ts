import { describe, expect, test } from 'vitest';
import {
  canTransition,
  earnings,
  isTerminal,
  JOB_STATUS,
  type JobStateName,
  SLOT_STATES,
} from '../../../src/domain/job.ts';

const ALL: readonly JobStateName[] = [
  'claiming',
  'claimed',
  'starting',
  'running',
  'finished',
  'reported',
  'releasing',
  'released',
  'cancelling',
  'dropped',
];

describe('a job’s states', () => {
  test('every state leads to a terminal one', () => {
    const reaches = (from: JobStateName, seen: readonly JobStateName[] = []): boolean =>
      isTerminal(from) ||
      ALL.some((to) => canTransition(from, to) && !seen.includes(to) && reaches(to, [...seen, from]));
    expect(ALL.filter((state) => !reaches(state))).toEqual([]);
  });

  test('a finished job is reported, or dropped by the broker, and never claimed again', () => {
    expect(ALL.filter((to) => canTransition('reported', to))).toEqual([]);
    expect(ALL.filter((to) => canTransition('finished', to))).toEqual(['reported', 'dropped']);
  });

  test('only a claimed job starts', () => {
    expect(ALL.filter((from) => canTransition(from, 'starting'))).toEqual(['claimed']);
    expect(ALL.filter((from) => canTransition(from, 'running'))).toEqual(['starting']);
  });

  test('finished and releasing jobs occupy no slot', () => {
    const over = ['finished', 'releasing'];
    expect([...SLOT_STATES]).toEqual(ALL.filter((state) => !isTerminal(state) && !over.includes(state)));
  });
});

test.each([
  [JOB_STATUS.SUCCEEDED, 0.05, 90_000, 0.075],
  [JOB_STATUS.TIMEOUT, 0.1, 60_000, 0.1],
  [JOB_STATUS.FAILED, 0.1, 60_000, 0],
  [JOB_STATUS.SUCCEEDED, 0.1, 0, 0],
])('status %d at %d $/min for %d ms earns %d $', (status, ask, durationMs, earned) => {
  expect(earnings(status, ask, durationMs)).toBeCloseTo(earned, 12);
});
