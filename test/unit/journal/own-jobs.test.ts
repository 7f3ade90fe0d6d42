import { expect, test } from 'vitest';
import { JOB_STATUS, type JobState } from '../../../src/domain/job.ts';
import { finish } from '../../../src/lib/slices.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { openScratch } from '../../support/journal/scratch.ts';

const SECOND = 1_000;
const reported = (status: 3 | 4 | 5): JobState => ({
  name: 'reported',
  status,
  durationMs: 60 * SECOND,
  earned: status === 4 ? 0 : 0.25,
});

test('own jobs have their slot from the claim to the end, and what the ledger has of them', () => {
  const clock = new ManualClock();
  const journal = openScratch(clock);
  const begin = clock.now();
  const ran = (uuid: string, ...states: readonly JobState[]): void => {
    journal.insert(newJob(uuid));
    for (const state of states) {
      clock.advance(10 * SECOND);
      journal.transition(uuid, state);
    }
  };
  const started = [stateNamed('claimed'), stateNamed('starting'), stateNamed('running')];
  ran('paid', ...started, stateNamed('finished'), reported(JOB_STATUS.SUCCEEDED));
  ran('failed', ...started, stateNamed('finished'), reported(JOB_STATUS.FAILED));
  ran('lost', stateNamed('dropped'));
  ran('released', ...started, stateNamed('releasing'), stateNamed('released'));
  ran('running', ...started);
  const found = finish(journal.ownJobs.between(begin, clock.now() + 5 * SECOND));
  const byJob = new Map(found.map((job) => [job.job, job]));
  expect([...byJob.keys()].toSorted()).toEqual(['failed', 'paid', 'released', 'running']);
  expect(byJob.get('paid')).toMatchObject({
    run: 'run-1',
    function: 'hello',
    offer: 'gpu:NVIDIA H100',
    ask: 0.25,
    from: begin,
    until: begin + 40 * SECOND,
    hasEnded: true,
    paidMs: 60 * SECOND,
    microDollars: 250_000,
    energy: undefined,
  });
  expect(byJob.get('failed')).toMatchObject({ paidMs: 0, microDollars: 0, until: begin + 90 * SECOND });
  expect(byJob.get('released')).toMatchObject({ paidMs: 0, hasEnded: true });
  expect(byJob.get('running')).toMatchObject({ paidMs: 0, hasEnded: false, until: clock.now() + 5 * SECOND });
  expect(finish(journal.ownJobs.between(0, begin - 1))).toHaveLength(0);
});
