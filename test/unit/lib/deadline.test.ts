import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { joinSignals, unlessAborted, waitAtMost, withDeadline, within } from '../../../src/lib/deadline.ts';
import { sleep } from '../../../src/lib/sleep.ts';

/** Collects garbage now. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}

describe('a signal within a time', () => {
  test('aborts when the time is up, although nobody listens and garbage is collected meanwhile', async () => {
    const other = new AbortController();
    const signals = [within(300, other.signal), within(300)];
    await vi.waitFor(
      () => {
        collect();
        expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
      },
      { timeout: 5_000, interval: 20 },
    );
    expect(signals[0]?.reason).toMatchObject({ name: 'TimeoutError' });
  });

  test('aborts when another signal does, for its reason', () => {
    const other = new AbortController();
    const signal = within(60_000, new AbortController().signal, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort('enough');
    expect(signal.reason).toBe('enough');
  });
});

describe('a call under a deadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const error = new Error('too late');

  test('returns what the call returns, and leaves no timer behind', async () => {
    expect(await withDeadline({ ms: 1_000, error }, async () => 'done')).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('throws when the time is up, although the call ignores its signal', async () => {
    let seen: AbortSignal | undefined;
    const call = withDeadline({ ms: 1_000, error }, (signal) => {
      seen = signal;
      return new Promise(() => undefined);
    }).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await call).toBe(error);
    expect(seen?.reason).toBe(error);
  });

  test('is extended by each piece of an answer', async () => {
    const settled = vi.fn<(thrown: unknown) => void>();
    const extend = Promise.withResolvers<() => void>();
    withDeadline({ ms: 1_000, error }, (_, more) => {
      extend.resolve(more);
      return new Promise(() => undefined);
    }).catch(settled);
    const more = await extend.promise;
    await vi.advanceTimersByTimeAsync(900);
    more();
    await vi.advanceTimersByTimeAsync(900);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    expect(settled).toHaveBeenCalledWith(error);
  });

  test('ends with the signal of the caller, for its reason', async () => {
    const caller = new AbortController();
    const call = withDeadline(
      { ms: 1_000, error, signal: caller.signal },
      () => new Promise(() => undefined),
    );
    caller.abort('enough');
    await expect(call).rejects.toBe('enough');
    const late = withDeadline({ ms: 1_000, error, signal: caller.signal }, async () => 'not called');
    await expect(late).rejects.toBe('enough');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('work that is left when a signal aborts', () => {
  test('throws the reason, also where the signal has aborted before', async () => {
    const caller = new AbortController();
    const left = unlessAborted(new Promise(() => undefined), caller.signal);
    caller.abort('enough');
    await expect(left).rejects.toBe('enough');
    await expect(unlessAborted(Promise.resolve('done'), caller.signal)).rejects.toBe('enough');
  });
});

describe('work that is waited for only so long', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('gives its outcome, and undefined where it takes longer or the signal aborts', async () => {
    const never = new Promise<string>(() => undefined);
    expect(await waitAtMost(1_000, Promise.resolve('done'))).toBe('done');
    expect(await waitAtMost(1_000, never, AbortSignal.abort())).toBeUndefined();
    const late = waitAtMost(1_000, never);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await late).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('joined signals', () => {
  const listenersOf = (...signals: readonly AbortSignal[]): number =>
    signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);

  test('abort with the first that does, for its reason, also with one that has', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    using joined = joinSignals(one.signal, other.signal);
    expect(joined.signal.aborted).toBe(false);
    other.abort('enough');
    one.abort('late');
    expect(joined.signal.reason).toBe('enough');
    using again = joinSignals(new AbortController().signal, other.signal);
    expect(again.signal.reason).toBe('enough');
  });

  test('leave no listener behind', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    {
      using _ = joinSignals(one.signal, other.signal);
      expect(listenersOf(one.signal, other.signal)).toBe(2);
    }
    expect(await sleep(1, one.signal, other.signal)).toBe(true);
    const sleeping = sleep(60_000, one.signal, other.signal);
    other.abort();
    expect(await sleeping).toBe(false);
    expect(listenersOf(one.signal, other.signal)).toBe(0);
    expect(await sleep(60_000, one.signal, other.signal)).toBe(false);
  });
});
