import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EngineBreaker } from '../../../../src/agent/admission/engine-breaker.ts';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';

const MINUTE = 60_000;
const FAILED = { kind: 'failed', code: undefined, why: 'no disk' } as const;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A breaker whose test containers pass. */
async function openBreaker() {
  const end = new AbortController();
  const events: AgentEvent[] = [];
  const passed = vi.fn<() => Promise<boolean>>(() => Promise.resolve(true));
  const breaker = new EngineBreaker({
    test: passed,
    clock: { monotonic: () => performance.now() },
    random: () => 0,
    observe: (event) => void events.push(event),
    roomMade: new Notifier(),
  });
  const working = breaker.work(end.signal);
  await vi.advanceTimersByTimeAsync(1);
  return {
    breaker,
    passed,
    take: (run: string) => breaker.take(run, end.signal),
    opened: () => events.filter(({ kind }) => kind === 'engine-breaker-opened').length,
    [Symbol.asyncDispose]: () => {
      end.abort();
      return working;
    },
  };
}

test('an engine that was restarted is tested at once, however long the wait would have been', async () => {
  await using host = await openBreaker();
  for (const run of ['a', 'b', 'a']) host.take(run)?.ended(FAILED);
  await vi.advanceTimersByTimeAsync(1);
  host.take('c')?.ended(FAILED);
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect([host.opened(), host.passed.mock.calls.length]).toEqual([2, 2]);
  host.breaker.testSoon();
  await vi.advanceTimersByTimeAsync(1);
  expect(host.passed).toHaveBeenCalledTimes(3);
  expect(host.breaker.isOpen).toBe(false);
});

test('jobs that are not started within three minutes have failed', async () => {
  await using host = await openBreaker();
  for (const run of ['a', 'b', 'a']) {
    host.take(run)?.won();
    await vi.advanceTimersByTimeAsync(3 * MINUTE);
  }
  expect(host.opened()).toBe(1);
});

test('jobs that are started or over within three minutes have not failed', async () => {
  await using host = await openBreaker();
  for (const run of ['a', 'b', 'a', 'b', 'a']) {
    const claim = host.take(run);
    claim?.won();
    if (run === 'a') claim?.started();
    else claim?.ended({ kind: 'unknown' });
    await vi.advanceTimersByTimeAsync(4 * MINUTE);
  }
  expect(host.opened()).toBe(0);
});
