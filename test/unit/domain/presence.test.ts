import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AWAY_AFTER_MS,
  actionFor,
  BOOT_MS,
  nextPresence,
  type Presence,
  type PresencePolicy,
  reclaimFor,
  SIGN_SOURCES,
  type Sign,
  UNKNOWN_AFTER_MS,
  yields,
} from '../../../src/domain/presence.ts';

const SECOND = 1000;
const LONG_UP = 30 * 24 * 3_600_000;
const DEFAULT: PresencePolicy = { whenActive: 'pause', whenGaming: 'reclaim' };

function sign(state: Sign['state'], source: Sign['source'] = 'gpu'): Sign {
  return { source, state, what: `${source} ${state}` };
}

const SEEN = [sign('seen')];
const QUIET = [sign('quiet')];
const UNKNOWN = [sign('unknown')];

/** The presence after so many rounds, a second apart. */
function rounds(
  before: Presence | undefined,
  signs: readonly Sign[],
  { from = 0, times = 1, uptimeMs = LONG_UP }: { from?: number; times?: number; uptimeMs?: number } = {},
): Presence {
  let presence = before;
  for (let at = 0; at < times; at += 1)
    presence = nextPresence(presence, signs, { now: from + at * SECOND, uptimeMs: uptimeMs + at * SECOND });
  return presence ?? nextPresence(undefined, signs, { now: from, uptimeMs });
}

describe('the first round', () => {
  test.each<[string, readonly Sign[], number, Presence['state']]>([
    ['without a sign: away', QUIET, LONG_UP, 'away'],
    ['without any source: away', [], 0, 'away'],
    ['with a sign: here', SEEN, LONG_UP, 'here'],
    ['without an answer: unknown', UNKNOWN, LONG_UP, 'unknown'],
    ['one without an answer among quiet ones: unknown', [...QUIET, ...UNKNOWN], LONG_UP, 'unknown'],
    ['a sign beside one without an answer: here', [...UNKNOWN, ...SEEN], LONG_UP, 'here'],
    ['soon after the start of the host: here', QUIET, BOOT_MS - 1, 'here'],
    ['a quarter of an hour after it: away', QUIET, BOOT_MS, 'away'],
  ])('%s', (_, signs, uptimeMs, state) => {
    expect(rounds(undefined, signs, { uptimeMs }).state).toBe(state);
  });

  test('says when the host has been up for long enough', () => {
    expect(rounds(undefined, QUIET, { uptimeMs: BOOT_MS - 60_000 }).awayAt).toBe(60_000);
  });
});

describe('the owner comes and goes', () => {
  const away = rounds(undefined, QUIET);
  const here = rounds(away, SEEN, { from: SECOND });

  test('here at the first sign, without saying until when', () => {
    expect(here).toMatchObject({ state: 'here', why: 'gpu seen', awayAt: undefined });
  });

  test('here for five minutes without a sign, and says until when', () => {
    const seconds = AWAY_AFTER_MS / SECOND;
    const last = rounds(here, QUIET, { from: 2 * SECOND, times: seconds - 1 });
    expect(last).toMatchObject({ state: 'here', why: 'gpu seen', awayAt: SECOND + AWAY_AFTER_MS });
    expect(rounds(last, QUIET, { from: SECOND + AWAY_AFTER_MS }).state).toBe('away');
  });

  test('from the beginning with each sign', () => {
    const almost = rounds(here, QUIET, { from: 2 * SECOND, times: 299 });
    const again = rounds(almost, SEEN, { from: 301 * SECOND });
    expect(rounds(again, QUIET, { from: 302 * SECOND, times: 299 }).state).toBe('here');
  });

  test('here, while no source answers, for ever', () => {
    expect(rounds(here, UNKNOWN, { from: 2 * SECOND, times: 4000 })).toMatchObject({
      state: 'here',
      awayAt: undefined,
    });
  });

  test('the time in which the host slept is none in which nobody was seen', () => {
    expect(rounds(here, QUIET, { from: 10 * 3_600_000 }).state).toBe('here');
  });

  test('away through one failed round, unknown after ten seconds of them, and away with the next answer', () => {
    expect(rounds(away, UNKNOWN, { from: SECOND }).state).toBe('away');
    const lost = rounds(away, UNKNOWN, { from: SECOND, times: UNKNOWN_AFTER_MS / SECOND });
    expect(lost.state).toBe('unknown');
    expect(rounds(lost, QUIET, { from: 20 * SECOND }).state).toBe('away');
  });
});

describe('whatever is seen', () => {
  const signs = fc.array(
    fc.record({
      source: fc.constantFrom(...SIGN_SOURCES),
      state: fc.constantFrom('seen' as const, 'quiet' as const, 'unknown' as const),
      what: fc.constant('x'),
    }),
    { minLength: 1, maxLength: 3 },
  );
  const histories = fc.array(fc.record({ signs, stepMs: fc.integer({ min: 1, max: 200_000 }) }), {
    maxLength: 200,
  });

  /** Whether nobody may be taken for away after this round. */
  const isNoTimeToLeave = (
    before: Presence | undefined,
    seen: readonly Sign[],
    sinceSignMs: number,
  ): boolean =>
    sinceSignMs < AWAY_AFTER_MS ||
    (before?.state !== 'away' && seen.some(({ state }) => state === 'unknown'));

  test('no owner counts as gone within five minutes of a sign, nor for want of an answer', () => {
    fc.assert(
      fc.property(histories, (all) => {
        let presence: Presence | undefined;
        let [now, lastSign] = [0, Number.NEGATIVE_INFINITY];
        for (const { signs: seen, stepMs } of all) {
          now += stepMs;
          if (seen.some(({ state }) => state === 'seen')) lastSign = now;
          const mayBeAway = !isNoTimeToLeave(presence, seen, now - lastSign);
          presence = nextPresence(presence, seen, { now, uptimeMs: LONG_UP });
          expect(mayBeAway || presence.state !== 'away').toBe(true);
        }
      }),
    );
  });
});

describe('what the owner wants', () => {
  test.each<[string, readonly Sign[], PresencePolicy, boolean]>([
    ['a game ends jobs', [sign('seen', 'game')], DEFAULT, true],
    ['activity does not', [sign('seen', 'activity')], DEFAULT, false],
    ['foreign use does not', SEEN, DEFAULT, false],
    ['foreign use does where the owner says so', SEEN, { ...DEFAULT, whenActive: 'reclaim' }, true],
    [
      'a game does not where the owner says so',
      [sign('seen', 'game')],
      { ...DEFAULT, whenGaming: 'pause' },
      false,
    ],
    ['a game that may have ended does not', [sign('unknown', 'game')], DEFAULT, false],
    ['nothing does where nothing is seen', [sign('quiet', 'game')], DEFAULT, false],
  ])('%s: %o', (_, signs, policy, reclaims) => {
    expect(reclaimFor(signs, policy) !== undefined).toBe(reclaims);
  });

  test('a GPU yields unless both are ignored', () => {
    expect(yields(DEFAULT)).toBe(true);
    expect(yields({ whenActive: 'ignore', whenGaming: 'reclaim' })).toBe(true);
    expect(yields({ whenActive: 'ignore', whenGaming: 'ignore' })).toBe(false);
    expect(actionFor('activity', DEFAULT)).toBe('pause');
  });
});
