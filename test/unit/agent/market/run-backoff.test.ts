import { describe, expect, test } from 'vitest';
import { AsideRuns } from '../../../../src/agent/market/run-backoff.ts';

function asideAt(): {
  readonly aside: AsideRuns;
  readonly pass: (ms: number) => void;
  readonly left: () => number;
} {
  let now = 0;
  const aside = new AsideRuns({ now: () => now, monotonic: () => now });
  return {
    aside,
    pass: (ms) => void (now += ms),
    left: () => (aside.all.get('run')?.until ?? now) - now,
  };
}

describe('runs set aside', () => {
  test('jobs that fail side by side count once; one that fails later counts again', () => {
    const { aside, left, pass } = asideAt();
    for (let n = 0; n < 8; n += 1) aside.hostFault('run');
    expect(left()).toBe(15_000);
    pass(15_000);
    aside.hostFault('run');
    expect(left()).toBe(30_000);
  });

  test('winning a job of a run forgets that it was refused, but not that this host failed it', () => {
    const { aside, left, pass } = asideAt();
    aside.refused('run');
    aside.won('run');
    expect(aside.all.size).toBe(0);
    aside.hostFault('run');
    pass(15_000);
    aside.won('run');
    aside.hostFault('run');
    expect(left()).toBe(30_000);
    expect(aside.busy).toBe(false);
  });

  test('refusals are nothing to wait for', () => {
    const { aside } = asideAt();
    aside.refused('run');
    expect(aside.busy).toBe(false);
  });

  test('a report that was taken opens the runs that waited for it, and no others', () => {
    const { aside, left } = asideAt();
    aside.notSeen('other');
    expect(aside.reportTaken()).toBe(false);
    aside.reportOwed('run');
    expect(left()).toBe(500);
    expect(aside.busy).toBe(true);
    expect(aside.reportTaken()).toBe(true);
    expect([...aside.all.keys()]).toEqual(['other']);
  });

  test('of very many runs the earliest is known', () => {
    const { aside } = asideAt();
    for (let n = 0; n < 300_000; n += 1) aside.notSeen(`run-${n}`);
    expect(aside.nextRetryAt).toBe(500);
  });
});
