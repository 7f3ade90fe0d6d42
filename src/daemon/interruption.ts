import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type SignalKind = (typeof SIGNALS)[number];

/** A command was ended by a signal. `exit` is 128 and the signal's number, as a shell has it. */
export class Interrupted extends Error {
  readonly exit: number;

  constructor(heard: SignalKind) {
    super(`ended by ${heard}`);
    this.name = 'Interrupted';
    this.exit = 128 + constants.signals[heard];
  }
}

/** The two signals that an owner may need; the reason of both is an Interrupted that tells of the first one. */
export type Interruption = {
  /** Aborts at the first signal: put everything in order, then end. */
  readonly first: AbortSignal;
  /** Aborts at any signal after that: end without waiting for anything. */
  readonly second: AbortSignal;
  ignore(): void;
};

/** Listens for the signals that end a command, until `ignore`. */
export function listenForInterruption(): Interruption {
  const first = new AbortController();
  const second = new AbortController();
  const hear = (heard: SignalKind): void => {
    if (first.signal.aborted) second.abort(first.signal.reason);
    else first.abort(new Interrupted(heard));
  };
  for (const name of SIGNALS) process.on(name, hear);
  return {
    first: first.signal,
    second: second.signal,
    ignore: () => {
      for (const name of SIGNALS) process.off(name, hear);
    },
  };
}
