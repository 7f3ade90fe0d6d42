import { describe, expect, test } from 'vitest';
import { RunBackoff } from '../../../../src/agent/market/run-backoff.ts';

function asideAt(): {
  readonly backoff: RunBackoff;
  readonly pass: (ms: number) => void;
  readonly left: () => number;
} {
  let now = 0;
  const backoff = new RunBackoff({ now: () => now, monotonic: () => now });
  return {
    backoff,
    pass: (ms) => void (now += ms),
    left: () => (backoff.all.get('run')?.until ?? now) - now,
  };
}

describe('runs set backoff', () => {
  test('jobs that fail side by side count once; one that fails later counts again', () => {
    const { backoff, left, pass } = asideAt();
    for (let n = 0; n < 8; n += 1) backoff.hostFault('run');
    expect(left()).toBe(15_000);
    pass(15_000);
    backoff.hostFault('run');
    expect(left()).toBe(30_000);
  });

  test('winning a job of a run forgets that it was refused, but not that this host failed it', () => {
    const { backoff, left, pass } = asideAt();
    backoff.refused('run');
    backoff.claimed('run');
    expect(backoff.all.size).toBe(0);
    backoff.hostFault('run');
    pass(15_000);
    backoff.claimed('run');
    backoff.hostFault('run');
    expect(left()).toBe(30_000);
    expect(backoff.busy).toBe(false);
  });

  test('refusals are nothing to wait for', () => {
    const { backoff } = asideAt();
    backoff.refused('run');
    expect(backoff.busy).toBe(false);
  });

  test('a report that was taken opens the runs that waited for it, and no others', () => {
    const { backoff, left } = asideAt();
    backoff.listFailed('other');
    expect(backoff.reportAccepted()).toBe(false);
    backoff.reportPending('run');
    expect(left()).toBe(500);
    expect(backoff.busy).toBe(true);
    expect(backoff.reportAccepted()).toBe(true);
    expect([...backoff.all.keys()]).toEqual(['other']);
  });

  test('of very many runs the earliest is known', () => {
    const { backoff } = asideAt();
    for (let n = 0; n < 300_000; n += 1) backoff.listFailed(`run-${n}`);
    expect(backoff.nextRetryAt).toBe(500);
  });
});
