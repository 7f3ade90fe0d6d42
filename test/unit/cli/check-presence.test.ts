import { describe, expect, test } from 'vitest';
import { checkPresence } from '../../../src/cli/check/check-presence.ts';
import type { PresenceInspection } from '../../../src/cli/check/inspect-presence.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { aGpu, aSession } from '../../support/domain.ts';

const DEFAULT = { whenActive: 'pause', whenGaming: 'reclaim', gpus: [] } as const;
const GPUS = [aGpu({ displayActive: true }), aGpu({ uuid: 'GPU-2', index: 1, displayActive: false })];
const NOW = 1_790_000_000_000;
const DESKTOP = aSession();

function seen(more: Partial<PresenceInspection> = {}): PresenceInspection {
  return {
    now: NOW,
    areIdsShared: true,
    processes: { value: { hasGraphics: true }, ms: 1 },
    sessions: { value: [DESKTOP], ms: 1 },
    hasGameMode: false,
    desks: undefined,
    ...more,
  };
}

const failed = { error: new AgentError('SESSIONS_UNREADABLE', 'no', { hint: 'see' }) };

describe('the signs of an owner', () => {
  test.each<[string, Partial<PresenceInspection>, string, 'ok' | 'warn']>([
    ['processes are readable', {}, 'gpu processes', 'ok'],
    [
      'only computing processes are',
      { processes: { value: { hasGraphics: false }, ms: 1 } },
      'gpu processes',
      'warn',
    ],
    ['processes are not', { processes: failed }, 'gpu processes', 'warn'],
    ['process ids are hidden', { areIdsShared: false }, 'gpu processes', 'warn'],
    ['sessions are readable', {}, 'sessions', 'ok'],
    ['sessions are not', { sessions: failed }, 'sessions', 'warn'],
    ['there is no logind', { sessions: { value: undefined, ms: 1 } }, 'sessions', 'ok'],
    [
      'a desktop was never idle',
      { sessions: { value: [{ ...DESKTOP, ageMs: 86_400_000 }], ms: 1 } },
      'sessions',
      'warn',
    ],
    ['GameMode is not installed', {}, 'game mode', 'ok'],
    ['games are reported', { hasGameMode: true, desks: ['ada'] }, 'game mode', 'ok'],
    ['GameMode is installed', { hasGameMode: true }, 'game mode', 'ok'],
  ])('%s', (_, more, check, level) => {
    const results = checkPresence(DEFAULT, GPUS, seen(more));
    const found = results.find((result) => result.check === check);
    expect(found?.level).toBe(level);
    expect(found?.hint === undefined).toBe(level === 'ok');
  });

  test('begin with the GPUs that yield', () => {
    const [first] = checkPresence(DEFAULT, GPUS, seen());
    expect(first?.found).toContain('GPU 0');
    expect(first?.found).not.toContain('GPU 1');
  });

  test('are one line where no GPU yields, and none without a GPU', () => {
    expect(checkPresence(DEFAULT, GPUS.slice(1), undefined)).toHaveLength(1);
    const ignored = { ...DEFAULT, whenActive: 'ignore', whenGaming: 'ignore' } as const;
    expect(checkPresence(ignored, GPUS, undefined)).toHaveLength(1);
    expect(checkPresence(DEFAULT, [], undefined)).toEqual([]);
  });
});
