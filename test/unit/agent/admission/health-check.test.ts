import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HealthCheck, type HealthCheckOptions } from '../../../../src/agent/admission/health-check.ts';
import { AgentError } from '../../../../src/domain/errors.ts';

const away = new AgentError('RUNTIME_UNAVAILABLE', 'could not reach Docker');

/** A health check of which a test decides the outcome and the time. */
function checking(more: Partial<HealthCheckOptions> = {}) {
  const scenario = { now: 0, isHealthy: true, checks: 0, changes: 0, backs: 0 };
  const end = new AbortController();
  const health = new HealthCheck({
    check: async () => {
      scenario.checks += 1;
      if (!scenario.isHealthy) throw away;
    },
    maxAgeMs: 1_000,
    intervalMs: undefined,
    cooldownMs: 0,
    again: { initialMs: 1, maxMs: 2 },
    inUse: () => false,
    signal: end.signal,
    clock: { monotonic: () => scenario.now },
    random: () => 0,
    onChange: () => void (scenario.changes += 1),
    onBack: () => void (scenario.backs += 1),
    ...more,
  });
  return { health, scenario, end };
}

describe('before a claim', () => {
  test('the resource is checked where the last check is older than a second, and not where it is fresh', async () => {
    const { health, scenario } = checking();
    expect(await health.isHealthyNow()).toBe(true);
    scenario.now = 999;
    expect(await health.isHealthyNow()).toBe(true);
    expect(scenario.checks).toBe(1);
    health.recordSuccess();
    scenario.now = 1_999;
    expect(await health.isHealthyNow()).toBe(true);
    expect(scenario.checks).toBe(1);
    scenario.now = 2_001;
    expect(await health.isHealthyNow()).toBe(true);
    expect(scenario.checks).toBe(2);
  });

  test('callers at the same time share one check', async () => {
    const { health, scenario } = checking();
    expect(await Promise.all([health.isHealthyNow(), health.isHealthyNow(), health.isHealthyNow()])).toEqual([
      true,
      true,
      true,
    ]);
    expect(scenario.checks).toBe(1);
  });

  test('without a maximum age the resource is checked only after a failed call', async () => {
    const { health, scenario } = checking({ maxAgeMs: Number.POSITIVE_INFINITY });
    expect(await health.isHealthyNow()).toBe(true);
    expect(scenario.checks).toBe(0);
    health.recordFailure(away);
    expect(await health.isHealthyNow()).toBe(true);
    expect(scenario.checks).toBe(1);
  });
});

describe('a call that fails', () => {
  test('is only a suspicion: where the check succeeds nothing changes', async () => {
    const { health, scenario } = checking();
    health.recordFailure(away);
    expect(await health.failedSince(0)).toBe(false);
    expect(health.error).toBeUndefined();
    expect(scenario).toMatchObject({ changes: 0, backs: 0 });
  });

  test('is put down to the resource where the check fails too', async () => {
    const { health, scenario } = checking();
    scenario.isHealthy = false;
    scenario.now = 5_000;
    health.recordFailure(away);
    expect(await health.failedSince(4_000)).toBe(true);
    expect(await health.failedSince(5_001)).toBe(false);
    expect(health.error).toBe(away);
    expect(scenario).toMatchObject({ changes: 1, backs: 0 });
  });

  test('makes the resource unhealthy while it keeps failing, although the check succeeds, until the cooldown is over', async () => {
    const { health, scenario } = checking({ cooldownMs: 2_500, maxAgeMs: Number.POSITIVE_INFINITY });
    health.recordFailure(away);
    expect(await health.isHealthyNow()).toBe(false);
    expect(health.error).toBe(away);
    scenario.now = 2_000;
    health.recordFailure(away);
    scenario.now = 4_000;
    expect(await health.isHealthyNow()).toBe(false);
    scenario.now = 4_500;
    expect(await health.isHealthyNow()).toBe(true);
    expect(scenario).toMatchObject({ changes: 2, backs: 1 });
    // The call failed and the resource did not.
    expect(await health.failedSince(0)).toBe(false);
  });

  test('during a check is not forgotten when the check succeeds', async () => {
    const outcome = Promise.withResolvers<void>();
    const { health, scenario } = checking({ check: () => outcome.promise });
    const asked = health.isHealthyNow();
    scenario.now = 10;
    health.recordFailure(away);
    outcome.resolve();
    expect(await asked).toBe(false);
  });
});

describe('in the background', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('an unhealthy resource is checked again and again, and reported healthy once', async () => {
    const { end, health, scenario } = checking();
    const work = health.work();
    scenario.isHealthy = false;
    health.recordFailure(away);
    await vi.advanceTimersByTimeAsync(100);
    expect(scenario.checks).toBeGreaterThan(5);
    expect(health.error).toBe(away);
    scenario.isHealthy = true;
    await vi.advanceTimersByTimeAsync(10);
    expect(health.error).toBeUndefined();
    expect(scenario).toMatchObject({ changes: 2, backs: 1 });
    end.abort();
    await work;
  });

  test('a resource in use is checked at intervals, so that no outage goes unnoticed', async () => {
    const { end, health, scenario } = checking({
      maxAgeMs: 5,
      intervalMs: 5,
      inUse: () => true,
      clock: { monotonic: () => performance.now() },
    });
    const work = health.work();
    await vi.advanceTimersByTimeAsync(100);
    expect(scenario.checks).toBeGreaterThan(2);
    scenario.isHealthy = false;
    await vi.advanceTimersByTimeAsync(20);
    expect(health.error).toBe(away);
    end.abort();
    await work;
  });

  test('a check that the end of the daemon cuts off does not count', async () => {
    const outcome = Promise.withResolvers<void>();
    const { end, health } = checking({ check: () => outcome.promise });
    const asked = health.isHealthyNow();
    end.abort();
    outcome.reject(new Error('aborted'));
    await asked;
    expect(health.error).toBeUndefined();
  });
});
