import { expect, test } from 'vitest';
import { JOB_OUTCOMES, stateWords, unsuccessful } from '../../../src/web/job-words.ts';

const NONE = { succeeded: 3, failed: 0, timeout: 0, released: 0, cancelled: 0 };

test('jobs that did not succeed are counted by how they ended, in the words of their state', () => {
  expect(unsuccessful(NONE, String)).toEqual([]);
  const { words } = stateWords({ outcome: 'timeout', state: 'reported' });
  expect(unsuccessful({ ...NONE, timeout: 2, cancelled: 1 }, String)).toEqual([`2 ${words}`, '1 cancelled']);
  expect(JOB_OUTCOMES).toContainEqual(['timeout', words]);
});
