import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type InterruptSignal = (typeof SIGNALS)[number];

/** A signal ended the command. `exit` is 128 plus the signal's number, as in a shell. */
export class Interrupted extends Error {
  readonly exit: number;

  constructor(signal: InterruptSignal) {
    super(`ended by ${signal}`);
    this.name = 'Interrupted';
    this.exit = 128 + constants.signals[signal];
  }
}

/** Two abort signals for a command that needs time to clean up; the reason of both is the first Interrupted. */
export type Interruption = {
  /** Aborts at the first signal: clean up, then exit. */
  readonly first: AbortSignal;
  /** Aborts at the second signal: exit without waiting. */
  readonly second: AbortSignal;
  /** To be called when the command is over: signals end the process as usual, unless one has ended the command. */
  ignore(): void;
};

/** Listens for SIGINT, SIGTERM and SIGHUP until `ignore` is called. */
export function listenForInterruption(): Interruption {
  const first = new AbortController();
  const second = new AbortController();
  const interrupt = (signal: InterruptSignal): void => {
    if (first.signal.aborted) second.abort(first.signal.reason);
    else first.abort(new Interrupted(signal));
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  return {
    first: first.signal,
    second: second.signal,
    ignore: () => {
      // A second signal just before the exit would take the place of the first one's exit code.
      if (first.signal.aborted) return;
      for (const name of SIGNALS) process.off(name, interrupt);
    },
  };
}
