import type { AgentError } from '../../domain/errors.ts';

/** How well a thing is: `warn` lets jobs run all the same, `fail` does not. */
export type Level = 'ok' | 'warn' | 'fail';

/** One line of `check`: what was looked at, how well it is, what was found, and what to do about it. */
export type CheckLine = {
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  readonly mend: string | undefined;
};

/** A line about something that is as it should be. */
export function ok(check: string, found: string): CheckLine {
  return { check, level: 'ok', found, mend: undefined };
}

/** A line about something that its owner should look at. */
export function warn(check: string, found: string, mend?: string): CheckLine {
  return { check, level: 'warn', found, mend };
}

/** A line about something without which no job runs. */
export function fail(check: string, found: string, mend?: string): CheckLine {
  return { check, level: 'fail', found, mend };
}

/** A line about something that could not be looked at. */
export function troubled(check: string, error: AgentError, level: Level = 'fail'): CheckLine {
  return { check, level, found: error.message, mend: error.mend };
}
