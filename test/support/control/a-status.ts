import type { Status, StatusJob, StatusTarget } from '../../../src/control-api/status-schema.ts';

export const NOON = Date.UTC(2026, 10, 27, 12);

/** A GPU with one slot that waits for a job. */
export function aTarget(more: Partial<StatusTarget> = {}): StatusTarget {
  return {
    target: 'GPU-1',
    name: 'GPU 0 (NVIDIA T4)',
    kind: 'gpu',
    index: 0,
    model: 'NVIDIA T4',
    profile: null,
    slots: 1,
    mode: 'auto',
    hold: null,
    jobs: [],
    figures: null,
    ...more,
  };
}

/** A job that has run for a minute. */
export function aRunningJob(more: Partial<StatusJob> = {}): StatusJob {
  return {
    job: '531d8edc-5f4b-4d1c-8f5e-0d3c3b1f2a10',
    function: 'hello',
    state: 'running',
    ranMs: 60_000,
    earned: 0.1,
    askPrice: 0.1,
    endsBy: NOON + 60_000,
    ...more,
  };
}

/** An agent with one GPU that waits for jobs. */
export function aStatus(more: Partial<Status> = {}): Status {
  return {
    at: NOON,
    host: 'rig',
    state: 'waiting',
    sentence: 'Waiting for jobs; 1 slot is open.',
    agent: { version: '1.2.3', phase: 'working', upMs: 3_600_000 },
    reason: null,
    problem: null,
    offers: [
      {
        offer: 'gpu:NVIDIA T4',
        name: 'NVIDIA T4',
        askPrice: 0.1,
        slots: 1,
        used: 0,
        open: 1,
        onMarket: true,
        why: null,
      },
    ],
    targets: [aTarget()],
    pulls: [],
    today: {
      since: NOON,
      earned: 0,
      jobs: { succeeded: 0, failed: 0, timeout: 0, released: 0, cancelled: 0 },
      powerCost: null,
      net: null,
      unpricedJobs: 0,
    },
    pending: { reports: 0, releases: 0, earned: 0 },
    ...more,
  };
}
