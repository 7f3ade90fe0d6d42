import type { JobState, JobStateName, NewJob, Report } from '../../../src/domain/job.ts';

/** A job to insert; only its uuid differs from other jobs. */
export function newJob(uuid: string): NewJob {
  return {
    uuid,
    run: 'run-1',
    functionName: 'hello',
    offerKey: 'gpu:NVIDIA H100',
    instance: 'instance-1',
    slot: 'slot-1',
    gpu: 'GPU-1',
    askPrice: 0.25,
    image: 'sha256:abc',
    timeoutMs: 60_000,
  };
}

const report: Report = { status: 3, buildLogs: '', stdout: 'Hello\n', stderr: '', result: '42' };

const SINCE = { boot: 'boot-1', upMs: 5000 };

const STATES: { readonly [Name in JobStateName]: Extract<JobState, { name: Name }> } = {
  claiming: { name: 'claiming' },
  claimed: { name: 'claimed' },
  starting: { name: 'starting', container: 'c1', since: SINCE },
  running: { name: 'running', container: 'c1', startedAt: 1000, since: SINCE },
  finished: { name: 'finished', report, durationMs: 1500 },
  reported: { name: 'reported', status: 3, durationMs: 1500, earned: 0.01 },
  releasing: { name: 'releasing', why: 'the image is gone' },
  released: { name: 'released', why: 'the image is gone' },
  cancelling: { name: 'cancelling', why: 'the run was deleted' },
  dropped: { name: 'dropped', why: 'lost' },
};

/** A complete state of this name. */
export function stateNamed(name: JobStateName): JobState {
  return STATES[name];
}

/** All states. */
export const ALL_STATES: readonly JobState[] = Object.values(STATES);
