import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BACKOFF, UNAUTHORIZED_RETRY_MS, waitAfter } from '../../../../src/agent/retry/retry.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { BackoffShape } from '../../../../src/lib/backoff.ts';

const DAY_MS = 86_400_000;
const away = new AgentError('BROKER_UNREACHABLE', 'nobody there');
const shapes: readonly (readonly [string, BackoffShape])[] = Object.entries(BACKOFF);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** How often something is tried in three days in which nothing works. */
function triesInThreeDays(shape: BackoffShape, random: () => number): number {
  let tries = 1;
  for (let now = 0; now < 3 * DAY_MS; tries += 1) now += waitAfter(away, shape, tries, random);
  return tries;
}

describe('the waits between tries', () => {
  test.each(shapes)('of %s never exceed their cap, nor fall below half of what they grow to', (_, shape) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), random, (attempt, chance) => {
        const waitMs = waitAfter(away, shape, attempt, () => chance);
        expect(waitMs).toBeLessThanOrEqual(shape.maxMs);
        const grown = Math.min(shape.initialMs * 2 ** Math.min(attempt - 1, 30), shape.maxMs);
        expect(waitMs).toBeGreaterThanOrEqual(grown / 2);
      }),
    );
  });

  test('many that wait for the same broker do not come back at once', () => {
    const chances = Array.from({ length: 100 }, (_, n) => n / 100);
    const waits = chances.map((chance) => waitAfter(away, BACKOFF.report, 20, () => chance));
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(BACKOFF.report.maxMs / 3);
  });

  test('the broker may ask for more, of which not all come back in one instant; a refused token is tried once a minute', () => {
    const throttled = new AgentError('BROKER_UNAVAILABLE', 'slow down', { retryAfterMs: 90_000 });
    expect(waitAfter(throttled, BACKOFF.poll, 1, () => 0)).toBe(90_000);
    expect(waitAfter(throttled, BACKOFF.poll, 1, () => 0.5)).toBe(94_500);
    const refused = new AgentError('BROKER_UNAUTHORIZED', 'who are you');
    expect(waitAfter(refused, BACKOFF.poll, 99, () => 0)).toBe(UNAUTHORIZED_RETRY_MS);
  });
});

describe('three days without a broker', () => {
  test.each<[keyof typeof BACKOFF, number]>([
    ['report', 1_750],
    ['poll', 8_700],
    ['lookup', 8_700],
  ])('a %s is tried no more than %i times, whatever chance says', (verb, most) => {
    expect(triesInThreeDays(BACKOFF[verb], () => 0)).toBeLessThanOrEqual(most);
    expect(triesInThreeDays(BACKOFF[verb], () => 0.999)).toBeGreaterThan(most / 3);
  });
});
