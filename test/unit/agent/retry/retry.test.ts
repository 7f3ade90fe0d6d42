import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RETRY, type RetryPolicy, UNAUTHORIZED_RETRY_MS } from '../../../../src/agent/retry/policies.ts';
import { type RetryOptions, retry, waitAfter } from '../../../../src/agent/retry/retry.ts';
import { retryEngine } from '../../../../src/agent/retry/retry-engine.ts';
import { retryUntilStopped } from '../../../../src/agent/retry/retry-until-stopped.ts';
import { writeDurably } from '../../../../src/agent/retry/write-durably.ts';
import { AgentError, type ErrorCode } from '../../../../src/domain/errors.ts';
import { backoffMs } from '../../../../src/lib/backoff.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { logInto } from '../../../support/log/log-into.ts';

/** What a call throws. */
const errorOf = (call: Promise<unknown>): Promise<unknown> => call.catch((thrown: unknown) => thrown);

const DAY_MS = 86_400_000;
const away = new AgentError('BROKER_UNREACHABLE', 'nobody there');
const policies: readonly (readonly [string, RetryPolicy])[] = Object.entries(RETRY);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** How often something is tried in three days in which nothing works. */
function triesInThreeDays(policy: RetryPolicy, random: () => number): number {
  let tries = 1;
  for (let now = 0; now < 3 * DAY_MS; tries += 1) now += waitAfter(away, policy, tries, random);
  return tries;
}

describe('the waits between tries', () => {
  test.each(policies)(
    'of %s never exceed their cap, nor fall below half of what they grow to',
    (_, policy) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1e9 }), random, (attempt, chance) => {
          const waitMs = waitAfter(away, policy, attempt, () => chance);
          expect(waitMs).toBeLessThanOrEqual(policy.maxMs);
          const grown = Math.min(policy.initialMs * 2 ** Math.min(attempt - 1, 30), policy.maxMs);
          expect(waitMs).toBeGreaterThanOrEqual(grown / 2);
        }),
      );
    },
  );

  test('many that wait for the same broker do not come back at once', () => {
    const chances = Array.from({ length: 100 }, (_, n) => n / 100);
    const waits = chances.map((chance) => waitAfter(away, RETRY.report, 20, () => chance));
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(RETRY.report.maxMs / 3);
  });

  test('the broker may ask for more time, and a refused token is tried once a minute', () => {
    const throttled = new AgentError('BROKER_UNAVAILABLE', 'slow down', { retryAfterMs: 90_000 });
    expect(waitAfter(throttled, RETRY.pollRuns, 1, () => 0)).toBe(90_000);
    expect(waitAfter(throttled, RETRY.pollRuns, 1, () => 0.5)).toBe(94_500);
    const refused = new AgentError('BROKER_UNAUTHORIZED', 'who are you');
    expect(waitAfter(refused, RETRY.pollRuns, 99, () => 0)).toBe(UNAUTHORIZED_RETRY_MS);
  });
});

test('a canary waits longer each time, from one minute to 15', () => {
  const minutes = [1, 2, 3, 4, 5, 1_000].map((failures) => backoffMs(RETRY.canary, failures) / 60_000);
  expect(minutes).toEqual([1, 2, 4, 8, 15, 15]);
});

describe('three days without a broker', () => {
  test.each<[keyof typeof RETRY, number]>([
    ['report', 1_750],
    ['pollRuns', 8_700],
    ['lookUp', 8_700],
  ])('a %s is tried no more than %i times, whatever chance says', (verb, most) => {
    expect(triesInThreeDays(RETRY[verb], () => 0)).toBeLessThanOrEqual(most);
    expect(triesInThreeDays(RETRY[verb], () => 0.999)).toBeGreaterThan(most / 3);
  });
});

describe('a call that is retried', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const policy: RetryPolicy = { initialMs: 100, maxMs: 400 };
  const options = (more: Partial<RetryOptions> = {}): RetryOptions => ({
    policy,
    clock: systemClock,
    random: () => 1,
    signal: new AbortController().signal,
    ...more,
  });
  const error = (code: ErrorCode): AgentError => new AgentError(code, 'it failed');

  /** Fails with these errors one after the other, then succeeds. */
  const failing = (...codes: readonly ErrorCode[]): (() => Promise<string>) => {
    const left = [...codes];
    return vi.fn<() => Promise<string>>(async () => {
      const code = left.shift();
      if (code !== undefined) throw error(code);
      return 'done';
    });
  };

  test('succeeds after waits that double', async () => {
    const waits: number[] = [];
    const call = failing('BROKER_UNREACHABLE', 'BROKER_BAD_ANSWER', 'BROKER_NOT_JSON', 'BROKER_UNAVAILABLE');
    const outcome = retry(options({ onRetry: (_, attempt, ms) => void (waits[attempt] = ms) }), call);
    await vi.runAllTimersAsync();
    expect(await outcome).toBe('done');
    expect(waits.slice(1)).toEqual([100, 200, 400, 400]);
  });

  test.each<[string, Partial<RetryOptions>, number]>([
    ['the error is not transient', {}, 1],
    ['retryIf refuses', { retryIf: (_, attempt) => attempt < 3 }, 3],
    ['the policy gives up', { retryIf: () => true, policy: { ...policy, giveUpAfterMs: 301 } }, 3],
  ])('throws its last error where %s', async (_, more, tries) => {
    const call = vi.fn<() => Promise<never>>(() => Promise.reject(error('BROKER_REFUSED')));
    const outcome = errorOf(retry(options(more), call));
    await vi.runAllTimersAsync();
    expect(await outcome).toMatchObject({ code: 'BROKER_REFUSED' });
    expect(call).toHaveBeenCalledTimes(tries);
  });

  test('ends in the middle of a wait when its signal aborts', async () => {
    const stop = new AbortController();
    const call = failing('BROKER_UNREACHABLE');
    const outcome = errorOf(retry(options({ signal: stop.signal }), call));
    await vi.advanceTimersByTimeAsync(50);
    stop.abort();
    expect(await outcome).toMatchObject({ code: 'BROKER_UNREACHABLE' });
    expect(call).toHaveBeenCalledOnce();
  });

  test('is tried at once when the signal for that aborts', async () => {
    const sooner = new AbortController();
    const outcome = retry(options({ sooner: () => sooner.signal }), failing('BROKER_UNREACHABLE'));
    await vi.advanceTimersByTimeAsync(50);
    sooner.abort();
    expect(await outcome).toBe('done');
  });

  test('to the engine is repeated through every failure but that of a container that is gone', async () => {
    const lines: string[] = [];
    const engine = { ...options(), log: logInto(lines) };
    const repeated = retryEngine(engine, failing('RUNTIME_UNAVAILABLE', 'INTERNAL', 'STATE_DIR_UNUSABLE'));
    await vi.runAllTimersAsync();
    expect(await repeated).toBe('done');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { level: 'warn', attempt: 1 },
      { level: 'warn', attempt: 2 },
      { level: 'debug', attempt: 3 },
    ]);
    expect(await retryEngine(engine, failing('CONTAINER_GONE'))).toBeUndefined();
    const call = failing();
    expect(await retryEngine({ ...engine, signal: AbortSignal.abort() }, call)).toBeUndefined();
    expect(call).not.toHaveBeenCalled();
  });

  test('to the journal is repeated only while the state directory refuses', async () => {
    const log = logInto([]);
    const refusals: ErrorCode[] = ['STATE_DIR_UNUSABLE', 'STATE_DIR_UNUSABLE'];
    const change = (): string => {
      const code = refusals.shift();
      if (code !== undefined) throw error(code);
      return 'written';
    };
    const written = writeDurably({ ...options(), log }, change);
    await vi.runAllTimersAsync();
    expect(await written).toBe('written');
    refusals.push('INTERNAL');
    await expect(writeDurably({ ...options(), log }, change)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  describe('until the agent stops', () => {
    const untilStopped = (
      once: boolean,
      onRefused = vi.fn<() => void>(),
    ): ReturnType<typeof retryUntilStopped> =>
      retryUntilStopped({ ...options(), onBlocked: () => undefined, once, onRefused });

    test('goes on after every error, and reads the token again where it is refused', async () => {
      const onRefused = vi.fn<() => void>();
      const outcome = untilStopped(
        false,
        onRefused,
      )(failing('BROKER_UNAUTHORIZED', 'BROKER_REFUSED', 'INTERNAL'));
      await vi.runAllTimersAsync();
      expect(await outcome).toBe('done');
      expect(onRefused).toHaveBeenCalledOnce();
    });

    test('with once gives up a transient failure after a minute, and any other at once', async () => {
      const call = vi.fn<() => Promise<never>>(() => Promise.reject(error('BROKER_UNREACHABLE')));
      const outcome = errorOf(untilStopped(true)(call));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(await outcome).toMatchObject({ code: 'BROKER_UNREACHABLE' });
      expect(call.mock.calls.length).toBeGreaterThan(10);
      await expect(untilStopped(true)(failing('BROKER_REFUSED'))).rejects.toMatchObject({
        code: 'BROKER_REFUSED',
      });
    });
  });
});
