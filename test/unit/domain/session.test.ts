import { describe, expect, test } from 'vitest';
import { activitySign, type Session, silentDesktops } from '../../../src/domain/session.ts';
import { aSession } from '../../support/domain.ts';

const NOW = 1_790_000_000_000;
const DAY = 86_400_000;

const SSH = { type: 'tty', isRemote: true };

describe('a session is a sign of its user', () => {
  test.each<[string, Partial<Session>, 'seen' | 'quiet']>([
    ['a desktop in use', {}, 'seen'],
    ['a desktop with X11', { type: 'x11' }, 'seen'],
    ['not a desktop that says it is idle', { isIdle: true, idleSince: NOW - 1000 }, 'quiet'],
    ['not a locked desktop, which some never call idle', { isLocked: true }, 'quiet'],
    ['not a desktop behind another', { isActive: false }, 'quiet'],
    ['not a login screen', { kind: 'greeter', user: 'gdm' }, 'quiet'],
    ['not a service', { kind: 'background' }, 'quiet'],
    ['not a manager', { kind: 'manager' }, 'quiet'],
    ['a remote session whose terminal was just used', { ...SSH, idleSince: NOW - 59_000 }, 'seen'],
    ['not one whose terminal was used long ago', { ...SSH, idleSince: NOW - 60_000 }, 'quiet'],
    ['not one whose terminal is not known', SSH, 'quiet'],
    [
      'a console that was just used, though logind calls it idle',
      { type: 'tty', isIdle: true, idleSince: NOW - 5_000 },
      'seen',
    ],
  ])('%s', (_, more, state) => {
    expect(activitySign([aSession({ kind: 'background' }), aSession(more)], NOW)).toMatchObject({
      state,
      source: 'activity',
    });
  });

  test('and none is where there is no session', () => {
    expect(activitySign([], NOW).state).toBe('quiet');
  });
});

describe('a desktop that never says it is idle', () => {
  test.each<[string, Partial<Session>, boolean]>([
    ['for a day: it does not say', { ageMs: DAY }, true],
    ['for less than a day: nobody knows yet', { ageMs: DAY - 1 }, false],
    ['which was idle today', { ageMs: 9 * DAY, idleSince: NOW - 3_600_000 }, false],
    ['which was idle before', { ageMs: 9 * DAY, idleSince: NOW - DAY }, true],
    ['which is idle now', { ageMs: 9 * DAY, isIdle: true, idleSince: NOW - 2 * DAY }, false],
    ['a terminal, which shows its use', { ageMs: 9 * DAY, type: 'tty' }, false],
    ['a login screen', { ageMs: 9 * DAY, kind: 'greeter' }, false],
  ])('%s', (_, more, isSilent) => {
    expect(silentDesktops([aSession(more)], NOW).length > 0).toBe(isSilent);
  });
});
