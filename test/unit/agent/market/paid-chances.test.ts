import { describe, expect, test } from 'vitest';
import { PaidChances } from '../../../../src/agent/market/paid-chances.ts';
import { type FinalStatus, JOB_STATUS, type JobRecord } from '../../../../src/domain/job.ts';
import { paidChance } from '../../../../src/domain/paid-chance.ts';
import { aNewJob } from '../../../support/domain.ts';
import { openScratch } from '../../../support/journal/scratch.ts';

const NONE = { buildLogs: '', stdout: '', stderr: '', result: '' };

describe('the chance that a job is paid', () => {
  test.each([
    ['a new function', 0, 0, 0.9],
    ['one failure', 0, 1, 0.75],
    ['one paid job', 1, 1, 0.9],
    ['many paid jobs', 50, 50, 1],
    ['many failures', 0, 50, 0.1],
    ['one failure of many', 49, 50, 0.95],
  ])('of %s', (_what, paid, ended, chance) => {
    expect(paidChance({ paid, ended })).toBeCloseTo(chance, 10);
  });

  test('is learned from the journal and from the reports that come', () => {
    const journal = openScratch();
    const run = (uuid: string, name: string, status: FinalStatus): JobRecord => {
      journal.insert(aNewJob({ uuid }), name);
      journal.transition(uuid, { name: 'claimed' });
      journal.transition(uuid, { name: 'finished', report: { status, ...NONE }, durationMs: 1 });
      return journal.transition(uuid, { name: 'reported', status, durationMs: 1, earned: 0 });
    };
    for (let job = 0; job < 10; job += 1) run(`bad-${job}`, 'bad', JOB_STATUS.FAILED);
    for (let job = 0; job < 10; job += 1) run(`good-${job}`, 'good', JOB_STATUS.TIMEOUT);
    const chances = new PaidChances(journal.outcomes);
    expect(chances.of({ functionUuid: 'bad' })).toBe(0.3);
    expect(chances.of({ functionUuid: 'good' })).toBe(0.95);
    expect(chances.of({ functionUuid: 'unknown' })).toBe(0.9);
    for (let job = 0; job < 20; job += 1) chances.reported(run(`better-${job}`, 'bad', JOB_STATUS.SUCCEEDED));
    expect(chances.of({ functionUuid: 'bad' })).toBe(
      new PaidChances(journal.outcomes).of({ functionUuid: 'bad' }),
    );
    expect(chances.of({ functionUuid: 'bad' })).toBe(0.7);
  });
});
