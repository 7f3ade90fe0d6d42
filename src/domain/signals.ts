import { EXIT } from './exit-codes.ts';

/** What the agent process is doing; it leaves this word in the state directory for other processes. */
export const PHASES = ['working', 'draining', 'evicting', 'stopping'] as const;
export type Phase = (typeof PHASES)[number];

type ActionSpec = {
  /** The phase that follows; undefined: no change. */
  readonly leadsTo: Phase | undefined;
  /** The exit code of the process; undefined: it keeps running. */
  readonly exit: number | undefined;
  readonly meaning: string;
};

/** What a signal makes the agent do. */
export const ACTIONS = {
  stop: {
    leadsTo: 'stopping',
    exit: EXIT.OK,
    meaning: 'leaves the market and exits within a second; jobs keep running and the next start adopts them',
  },
  drain: {
    leadsTo: 'draining',
    exit: EXIT.OK,
    meaning: 'claims no new jobs, waits for running jobs, delivers all reports, then exits',
  },
  evict: {
    leadsTo: 'evicting',
    exit: EXIT.EVICTED,
    meaning:
      'stops running jobs and releases them to the market, delivers what it can within 15 seconds, then exits',
  },
  reload: {
    leadsTo: undefined,
    exit: undefined,
    meaning:
      'reads prices, the schedule, the page’s names and the files with secrets again; other changes need a restart',
  },
  abandon: {
    leadsTo: undefined,
    exit: EXIT.FAILED,
    meaning: 'exits at once, as after a crash; nothing is lost',
  },
} as const satisfies Readonly<Record<string, ActionSpec>>;
export type Action = keyof typeof ACTIONS;

/** The signals of the agent process, by what they mean. */
export const SIGNALS = {
  end: ['SIGTERM', 'SIGINT'],
  drain: ['SIGUSR1'],
  reload: ['SIGHUP'],
} as const satisfies Readonly<Record<string, readonly `SIG${string}`[]>>;
export type SignalKind = keyof typeof SIGNALS;

/** What each signal does in each phase; the documented table is generated from this one. */
export const SIGNAL_TABLE: Readonly<Record<Phase, Readonly<Record<SignalKind, Action>>>> = {
  working: { end: 'stop', drain: 'drain', reload: 'reload' },
  draining: { end: 'stop', drain: 'evict', reload: 'reload' },
  evicting: { end: 'abandon', drain: 'abandon', reload: 'reload' },
  stopping: { end: 'abandon', drain: 'abandon', reload: 'reload' },
};
