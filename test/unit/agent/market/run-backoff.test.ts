import { describe, expect, test } from 'vitest';
import { RunBackoff } from '../../../../src/agent/market/run-backoff.ts';

function backoffAt(): {
  readonly backoff: RunBackoff;
  readonly pass: (ms: number) => void;
  readonly left: () => number;
} {
  let now = 0;
  const backoff = new RunBackoff({ monotonic: () => now });
  return {
    backoff,
    pass: (ms) => void (now += ms),
    left: () => (backoff.get('run')?.until ?? now) - now,
  };
}

describe('runs in backoff', () => {
  test('jobs that fail side by side count once; one that fails later counts again', () => {
    const { backoff, left, pass } = backoffAt();
    for (let n = 0; n < 8; n += 1) backoff.hostFault('run');
    expect(left()).toBe(20_000);
    pass(20_000);
    backoff.hostFault('run');
    expect(left()).toBe(40_000);
  });

  test('claiming a job of a run forgets that it was refused, but not that this host failed it', () => {
    const { backoff, left, pass } = backoffAt();
    backoff.refused('run');
    backoff.claimed('run');
    expect(backoff.get('run')).toBeUndefined();
    backoff.hostFault('run');
    pass(20_000);
    backoff.claimed('run');
    backoff.hostFault('run');
    expect(left()).toBe(40_000);
    expect(backoff.busy).toBe(false);
  });

  test('start --once does not wait for a run of which the broker refuses jobs', () => {
    const { backoff } = backoffAt();
    backoff.refused('run');
    expect(backoff.busy).toBe(false);
  });

  test('a report that was accepted ends the wait of the runs that waited for it, and of no others', () => {
    const { backoff, left } = backoffAt();
    backoff.listFailed('other');
    expect(backoff.reportAccepted()).toBe(false);
    backoff.reportPending('run');
    expect(left()).toBe(500);
    expect(backoff.busy).toBe(true);
    expect(backoff.reportAccepted()).toBe(true);
    expect(['run', 'other'].filter((run) => backoff.get(run) !== undefined)).toEqual(['other']);
  });

  test('the earliest of very many runs is known', () => {
    const { backoff } = backoffAt();
    for (let n = 0; n < 300_000; n += 1) backoff.listFailed(`run-${n}`);
    expect(backoff.nextRetryAt).toBe(500);
  });
});
