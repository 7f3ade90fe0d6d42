import { ERROR_KINDS, type ErrorCode, isErrorCode } from './errors.ts';

/** Exit codes of a command that no error ended. */
export const EXIT = { OK: 0, FAILED: 1, EVICTED: 9 } as const;

const MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.OK]: 'success',
  [EXIT.FAILED]: 'the check or operation failed, or an internal error',
  2: 'invalid command line, configuration or token file',
  3: 'the broker rejected the token, or the user name and password',
  4: 'the broker is unreachable or its response is invalid',
  5: 'container engine, image or container error',
  6: 'GPU or driver error',
  7: 'state directory or journal error',
  8: 'job network error',
  [EXIT.EVICTED]: 'running jobs were evicted and released to the market',
};

/** One row of the documented table of exit codes. */
export type ExitCode = {
  readonly exit: number;
  readonly meaning: string;
  /** The errors that end a command with this code. */
  readonly errors: readonly ErrorCode[];
};

/** Every exit code with its meaning and its errors, in ascending order. */
export function exitCodes(): readonly ExitCode[] {
  return Object.entries(MEANINGS).map(([exit, meaning]) => ({
    exit: Number(exit),
    meaning,
    errors: ERROR_CODES.filter((code) => ERROR_KINDS[code].exit === Number(exit)),
  }));
}

const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERROR_KINDS).filter(isErrorCode);
