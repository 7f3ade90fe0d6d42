import { ERROR_KINDS, type ErrorCode } from '../domain/errors.ts';

/** What a command ends with where no error ended it. */
export const EXIT = { OK: 0, FAILED: 1, EVICTED: 9 } as const;

const MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.OK]: 'all went well',
  [EXIT.FAILED]: 'what the command looked at or did is not as it should be, or the agent has a defect',
  2: 'the command line, the configuration or the token cannot be used',
  3: 'the broker does not accept the token',
  4: 'the broker cannot be reached, or does not answer as a broker does',
  5: 'the container engine, an image or a container',
  6: 'the GPU or its driver',
  7: 'the state directory or the journal',
  8: 'the jobs’ network',
  [EXIT.EVICTED]: 'the agent was told not to wait for its jobs, and has given them back to the market',
};

/** One line of the documented table of exit codes. */
export type ExitCode = {
  readonly exit: number;
  readonly meaning: string;
  readonly errors: readonly ErrorCode[];
};

/** Every exit code with its meaning and the errors that end a command with it. */
export function exitCodes(): readonly ExitCode[] {
  return Object.entries(MEANINGS).map(([exit, meaning]) => ({
    exit: Number(exit),
    meaning,
    errors: ERROR_CODES.filter((code) => ERROR_KINDS[code].exit === Number(exit)),
  }));
}

const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_KINDS).filter((code): code is ErrorCode =>
  Object.hasOwn(ERROR_KINDS, code),
);
