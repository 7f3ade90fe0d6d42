import { describe, expect, test, vi } from 'vitest';
import { HealthCheck, type HealthCheckOptions } from '../../../../src/agent/admission/health-check.ts';
import { AgentError } from '../../../../src/domain/errors.ts';

const away = new AgentError('RUNTIME_UNAVAILABLE', 'could not reach Docker');

/** A footing whose proofs go as told, on a clock that the test sets. */
function footing(more: Partial<HealthCheckOptions> = {}) {
  const told = { now: 0, isHealthyNow: true, proofs: 0, changes: 0, backs: 0 };
  const end = new AbortController();
  const one = new HealthCheck({
    check: async () => {
      told.proofs += 1;
      if (!told.isHealthyNow) throw away;
    },
    maxAgeMs: 1_000,
    intervalMs: undefined,
    cooldownMs: 0,
    again: { initialMs: 1, maxMs: 2 },
    inUse: () => false,
    signal: end.signal,
    clock: { now: () => 0, monotonic: () => told.now },
    random: () => 0,
    onChange: () => void (told.changes += 1),
    onBack: () => void (told.backs += 1),
    ...more,
  });
  return { one, told, end };
}

describe('before a claim', () => {
  test('a proof is asked for where the last word is older than a second, and not where it is fresh', async () => {
    const { one, told } = footing();
    expect(await one.isHealthyNow()).toBe(true);
    told.now = 999;
    expect(await one.isHealthyNow()).toBe(true);
    expect(told.proofs).toBe(1);
    one.recordSuccess();
    told.now = 1_999;
    expect(await one.isHealthyNow()).toBe(true);
    expect(told.proofs).toBe(1);
    told.now = 2_001;
    expect(await one.isHealthyNow()).toBe(true);
    expect(told.proofs).toBe(2);
  });

  test('many who ask at once share one proof', async () => {
    const { one, told } = footing();
    expect(await Promise.all([one.isHealthyNow(), one.isHealthyNow(), one.isHealthyNow()])).toEqual([
      true,
      true,
      true,
    ]);
    expect(told.proofs).toBe(1);
  });

  test('where nothing is to be proven without a reason, nothing is', async () => {
    const { one, told } = footing({ maxAgeMs: Number.POSITIVE_INFINITY });
    expect(await one.isHealthyNow()).toBe(true);
    expect(told.proofs).toBe(0);
    one.recordFailure(away);
    expect(await one.isHealthyNow()).toBe(true);
    expect(told.proofs).toBe(1);
  });
});

describe('a call that fails', () => {
  test('is only a suspicion: where the proof holds, nothing was lost and nobody is told', async () => {
    const { one, told } = footing();
    one.recordFailure(away);
    expect(await one.failedSince(0)).toBe(false);
    expect(one.error).toBeUndefined();
    expect(told).toMatchObject({ changes: 0, backs: 0 });
  });

  test('is put down to it where the proof fails too, from that moment on', async () => {
    const { one, told } = footing();
    told.isHealthyNow = false;
    told.now = 5_000;
    one.recordFailure(away);
    expect(await one.failedSince(4_000)).toBe(true);
    expect(await one.failedSince(5_001)).toBe(false);
    expect(one.error).toBe(away);
    expect(told).toMatchObject({ changes: 1, backs: 0 });
  });

  test('counts as lost while it goes on failing, although the proof holds, and until it has been calm', async () => {
    const { one, told } = footing({ cooldownMs: 2_500, maxAgeMs: Number.POSITIVE_INFINITY });
    one.recordFailure(away);
    expect(await one.isHealthyNow()).toBe(false);
    expect(one.error).toBe(away);
    told.now = 2_000;
    one.recordFailure(away);
    told.now = 4_000;
    expect(await one.isHealthyNow()).toBe(false);
    told.now = 4_500;
    expect(await one.isHealthyNow()).toBe(true);
    expect(told).toMatchObject({ changes: 2, backs: 1 });
    // It was the call that failed, not what it rests on.
    expect(await one.failedSince(0)).toBe(false);
  });

  test('while a proof is under way is not forgotten when that holds', async () => {
    const proof = Promise.withResolvers<void>();
    const { one, told } = footing({ check: () => proof.promise });
    const asked = one.isHealthyNow();
    told.now = 10;
    one.recordFailure(away);
    proof.resolve();
    expect(await asked).toBe(false);
  });
});

describe('looking after it', () => {
  test('proves again and again while it does not carry, and says once that it does', async () => {
    const { end, one, told } = footing();
    const work = one.work();
    told.isHealthyNow = false;
    one.recordFailure(away);
    await vi.waitFor(() => expect(told.proofs).toBeGreaterThan(5));
    expect(one.error).toBe(away);
    told.isHealthyNow = true;
    await vi.waitFor(() => expect(one.error).toBeUndefined());
    expect(told).toMatchObject({ changes: 2, backs: 1 });
    end.abort();
    await work;
  });

  test('proves it now and then while jobs rest on it, so that no outage passes unseen', async () => {
    const { end, one, told } = footing({
      maxAgeMs: 5,
      intervalMs: 5,
      inUse: () => true,
      clock: { now: () => 0, monotonic: () => performance.now() },
    });
    const work = one.work();
    await vi.waitFor(() => expect(told.proofs).toBeGreaterThan(2));
    told.isHealthyNow = false;
    await vi.waitFor(() => expect(one.error).toBe(away));
    end.abort();
    await work;
  });

  test('what the end of the daemon cuts off is no loss', async () => {
    const proof = Promise.withResolvers<void>();
    const { end, one } = footing({ check: () => proof.promise });
    const asked = one.isHealthyNow();
    end.abort();
    proof.reject(new Error('aborted'));
    await asked;
    expect(one.error).toBeUndefined();
  });
});
