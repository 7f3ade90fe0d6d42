import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { within } from '../../../src/lib/deadline.ts';

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
