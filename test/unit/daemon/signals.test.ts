import { describe, expect, test } from 'vitest';
import { isAsked, type Wanted, wantsSignal } from '../../../src/cli/drain/next-signal.ts';
import { ACTIONS, type Action, onSignals, type Phase } from '../../../src/daemon/signals.ts';

/** What a daemon does, one after the other, when these signals come. */
function whatHappens(signals: readonly NodeJS.Signals[], onTerminal = false): readonly Action[] {
  const actions: Action[] = [];
  const silence = onSignals((action) => void actions.push(action), onTerminal);
  for (const signal of signals) process.emit(signal, signal);
  silence();
  return actions;
}

describe('the signals of a daemon', () => {
  test.each<[readonly NodeJS.Signals[], readonly Action[]]>([
    [['SIGTERM'], ['stop']],
    [['SIGINT'], ['stop']],
    [
      ['SIGTERM', 'SIGINT'],
      ['stop', 'abandon'],
    ],
    [['SIGUSR1'], ['drain']],
    [
      ['SIGUSR1', 'SIGTERM'],
      ['drain', 'stop'],
    ],
    [
      ['SIGUSR1', 'SIGUSR1'],
      ['drain', 'evict'],
    ],
    [
      ['SIGUSR1', 'SIGUSR1', 'SIGUSR1'],
      ['drain', 'evict', 'abandon'],
    ],
    [
      ['SIGUSR1', 'SIGUSR1', 'SIGINT'],
      ['drain', 'evict', 'abandon'],
    ],
    [
      ['SIGUSR1', 'SIGTERM', 'SIGUSR1'],
      ['drain', 'stop', 'abandon'],
    ],
    [
      ['SIGTERM', 'SIGTERM', 'SIGTERM'],
      ['stop', 'abandon', 'abandon'],
    ],
  ])('%j mean %j', (signals, actions) => {
    expect(whatHappens(signals)).toEqual(actions);
  });

  test('SIGHUP reloads and changes nothing else, but ends what a terminal has started', () => {
    expect(whatHappens(['SIGHUP', 'SIGHUP', 'SIGTERM'])).toEqual(['reload', 'reload', 'stop']);
    expect(whatHappens(['SIGUSR1', 'SIGHUP', 'SIGUSR1'])).toEqual(['drain', 'reload', 'evict']);
    expect(whatHappens(['SIGHUP', 'SIGTERM'], true)).toEqual(['stop', 'abandon']);
  });

  test('only what leaves nothing to the next start by force ends with 0', () => {
    expect(Object.entries(ACTIONS).map(([name, { exit }]) => [name, exit])).toEqual([
      ['stop', 0],
      ['drain', 0],
      ['evict', 9],
      ['reload', undefined],
      ['abandon', 1],
    ]);
  });

  test('nobody listens any more afterwards', () => {
    const before = process.listenerCount('SIGUSR1');
    onSignals(() => undefined)();
    expect(process.listenerCount('SIGUSR1')).toBe(before);
  });
});

describe('what `drain` sends to the daemon that it finds', () => {
  /** Walks with a daemon that moves on at each signal, as fast as it can; answers in which phases it was signalled. */
  const walk = (from: Phase, wanted: Wanted): readonly Phase[] => {
    const sentIn = new Set<Phase>();
    const path: readonly Phase[] = ['working', 'draining', 'evicting'];
    let phase = from;
    for (let looks = 0; looks < 6; looks += 1) {
      if (!wantsSignal(phase, wanted, sentIn)) continue;
      sentIn.add(phase);
      phase = path[path.indexOf(phase) + 1] ?? 'stopping';
    }
    expect(isAsked(phase, wanted, sentIn)).toBe(true);
    return [...sentIn];
  };

  test.each<[Phase, Wanted, readonly Phase[]]>([
    ['working', 'drain', ['working']],
    ['draining', 'drain', []],
    ['evicting', 'drain', []],
    ['stopping', 'drain', []],
    ['working', 'evict', ['working', 'draining']],
    ['draining', 'evict', ['draining']],
    ['evicting', 'evict', []],
    ['stopping', 'evict', []],
  ])('to one that is %s, for a %s: a signal while %j', (phase, wanted, sent) => {
    expect(walk(phase, wanted)).toEqual(sent);
  });

  test('a daemon that has not moved yet is not signalled twice, and --now is not yet asked in full', () => {
    const sentIn = new Set<Phase>(['working']);
    expect(wantsSignal('working', 'drain', sentIn)).toBe(false);
    expect(wantsSignal('working', 'evict', sentIn)).toBe(false);
    expect(isAsked('working', 'drain', sentIn)).toBe(true);
    expect(isAsked('working', 'evict', sentIn)).toBe(false);
  });
});
