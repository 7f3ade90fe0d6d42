import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { detectSuspends, suspendedMs } from '../../../../src/agent/lifecycle/suspend-detector.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('how long nobody was at work', () => {
  test.each<[string, { readonly monotonic: number; readonly upMs: number }, number | undefined]>([
    ['a tick in time', { monotonic: 1_000, upMs: 1_000 }, undefined],
    ['a tick of a busy host', { monotonic: 4_000, upMs: 4_000 }, undefined],
    ['a host that slept for an hour', { monotonic: 1_000, upMs: 3_601_000 }, 3_600_000],
    ['a process that was stopped for a minute', { monotonic: 61_000, upMs: 61_000 }, 60_000],
    ['both', { monotonic: 11_000, upMs: 41_000 }, 40_000],
    ['an uptime that was read a little earlier', { monotonic: 1_000, upMs: 0 }, undefined],
  ])('%s', (_, now, away) => {
    expect(suspendedMs({ monotonic: 0, upMs: 0 }, now)).toBe(away);
  });

  test('is never more than went by', () => {
    const ms = fc.integer({ min: 0, max: 1e9 });
    fc.assert(
      fc.property(ms, ms, (monotonic, slept) => {
        const away = suspendedMs({ monotonic: 0, upMs: 0 }, { monotonic, upMs: monotonic + slept });
        expect(away ?? 0).toBeLessThanOrEqual(monotonic + slept);
      }),
    );
  });
});

test('reports each suspend once, and none after the end', async () => {
  const suspends: number[] = [];
  const controller = new AbortController();
  let polls = 0;
  // The host sleeps for ten seconds between the first sample and the second.
  const tick = (): { readonly monotonic: number; readonly upMs: number } => {
    polls += 1;
    if (polls === 3) controller.abort();
    return { monotonic: polls * 1_000, upMs: polls * 1_000 + (polls > 1 ? 10_000 : 0) };
  };
  const detecting = detectSuspends(tick, (away) => void suspends.push(away), controller.signal);
  await vi.advanceTimersByTimeAsync(2_000);
  await detecting;
  expect(suspends).toEqual([10_000]);
});
