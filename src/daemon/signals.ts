import { EXIT } from '../cli/exit-codes.ts';

/** Where a daemon stands, as far as signals are concerned. */
export const PHASES = ['working', 'draining', 'evicting', 'stopping'] as const;
export type Phase = (typeof PHASES)[number];

/** What a signal may ask of a running daemon. */
export const ACTIONS = {
  stop: {
    leadsTo: 'stopping',
    exit: 0,
    words: 'leaves the market and ends within a second; jobs run on, the next start adopts them',
  },
  drain: {
    leadsTo: 'draining',
    exit: 0,
    words: 'takes no new jobs, waits for those that run, delivers all reports, ends',
  },
  evict: {
    leadsTo: 'evicting',
    exit: EXIT.EVICTED,
    words:
      'ends the jobs that run and gives them back to the market, delivers what it can in 15 seconds, ends',
  },
  reload: {
    leadsTo: undefined,
    exit: undefined,
    words: 'reads prices and token file again; what else has changed waits for a restart',
  },
  abandon: { leadsTo: undefined, exit: 1, words: 'ends at once; as after a crash, nothing is lost' },
} as const satisfies Readonly<
  Record<
    string,
    { readonly leadsTo: Phase | undefined; readonly exit: number | undefined; readonly words: string }
  >
>;
export type Action = keyof typeof ACTIONS;

/** The signals that a daemon listens to, by what they mean. */
export const SIGNALS = {
  end: ['SIGTERM', 'SIGINT'],
  drain: ['SIGUSR1'],
  reload: ['SIGHUP'],
} as const satisfies Readonly<Record<string, readonly NodeJS.Signals[]>>;
export type SignalKind = keyof typeof SIGNALS;

/** What each signal does in each phase: the README's table is made of this one. */
export const TABLE: Readonly<Record<Phase, Readonly<Record<SignalKind, Action>>>> = {
  working: { end: 'stop', drain: 'drain', reload: 'reload' },
  draining: { end: 'stop', drain: 'evict', reload: 'reload' },
  evicting: { end: 'abandon', drain: 'abandon', reload: 'reload' },
  stopping: { end: 'abandon', drain: 'abandon', reload: 'reload' },
};

/**
 * Listens for the daemon's signals from now on and tells what each asks for; answers how to stop listening. On a
 * terminal SIGHUP says that this has gone, and then the daemon ends as by SIGTERM.
 */
export function onSignals(act: (action: Action) => void, onTerminal = false): () => void {
  let phase: Phase = 'working';
  const hear = (heard: SignalKind) => (): void => {
    const action = TABLE[phase][heard];
    phase = ACTIONS[action].leadsTo ?? phase;
    act(action);
  };
  const listeners = [
    ...SIGNALS.end.map((name) => ({ name, listener: hear('end') })),
    ...SIGNALS.drain.map((name) => ({ name, listener: hear('drain') })),
    ...SIGNALS.reload.map((name) => ({ name, listener: hear(onTerminal ? 'end' : 'reload') })),
  ];
  for (const { listener, name } of listeners) process.on(name, listener);
  return () => {
    for (const { listener, name } of listeners) process.off(name, listener);
  };
}
