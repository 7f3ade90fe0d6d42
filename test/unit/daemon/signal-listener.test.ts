import { describe, expect, test } from 'vitest';
import { isAsked, type Wanted, wantsSignal } from '../../../src/cli/drain/next-signal.ts';
import { SignalListener } from '../../../src/daemon/signal-listener.ts';
import { ACTIONS, type Action, type Phase } from '../../../src/domain/signals.ts';

/** The actions of the agent's process when these signals arrive in turn. */
function actionsAfter(signals: readonly NodeJS.Signals[], onTerminal = false): readonly Action[] {
  using listener = new SignalListener(onTerminal);
  const actions: Action[] = [];
  listener.open((action) => void actions.push(action));
  for (const signal of signals) process.emit(signal, signal);
  return actions;
}

describe('the signals of the agent process', () => {
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
  ])('%j: %j', (signals, actions) => {
    expect(actionsAfter(signals)).toEqual(actions);
  });

  test('SIGHUP reloads without a change of phase, and on a terminal acts as SIGTERM', () => {
    expect(actionsAfter(['SIGHUP', 'SIGHUP', 'SIGTERM'])).toEqual(['reload', 'reload', 'stop']);
    expect(actionsAfter(['SIGUSR1', 'SIGHUP', 'SIGUSR1'])).toEqual(['drain', 'reload', 'evict']);
    expect(actionsAfter(['SIGHUP', 'SIGTERM'], true)).toEqual(['stop', 'abandon']);
  });

  test('each action has its exit code', () => {
    expect(Object.entries(ACTIONS).map(([name, { exit }]) => [name, exit])).toEqual([
      ['stop', 0],
      ['drain', 0],
      ['evict', 9],
      ['reload', undefined],
      ['abandon', 1],
    ]);
  });

  test('signals that arrive before the agent is built are acted on afterwards', () => {
    using listener = new SignalListener(false);
    for (const signal of ['SIGUSR1', 'SIGTERM'] as const) process.emit(signal, signal);
    const actions: Action[] = [];
    listener.open((action) => void actions.push(action));
    expect(actions).toEqual(['drain', 'stop']);
  });

  test('a disposed listener is removed from the process', () => {
    const before = process.listenerCount('SIGUSR1');
    new SignalListener(false)[Symbol.dispose]();
    expect(process.listenerCount('SIGUSR1')).toBe(before);
  });
});

describe('the signals that `drain` sends', () => {
  /** The phases in which an agent that changes its phase at each signal is signalled. */
  const walk = (from: Phase, wanted: Wanted): readonly Phase[] => {
    const sentIn = new Set<Phase>();
    const path: readonly Phase[] = ['working', 'draining', 'evicting'];
    let phase = from;
    for (let reads = 0; reads < 6; reads += 1) {
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
  ])('to an agent that is %s, to %s it: one while %j', (phase, wanted, sent) => {
    expect(walk(phase, wanted)).toEqual(sent);
  });

  test('an agent that has not changed its phase yet is not signalled again, and --now is not complete', () => {
    const sentIn = new Set<Phase>(['working']);
    expect(wantsSignal('working', 'drain', sentIn)).toBe(false);
    expect(wantsSignal('working', 'evict', sentIn)).toBe(false);
    expect(isAsked('working', 'drain', sentIn)).toBe(true);
    expect(isAsked('working', 'evict', sentIn)).toBe(false);
  });
});
