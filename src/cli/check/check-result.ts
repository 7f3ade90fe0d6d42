import type { AgentError } from '../../domain/errors.ts';

/** How well a thing is: `warn` lets jobs run all the same, `fail` does not. */
export type Level = 'ok' | 'warn' | 'fail';

/** One line of `check`: what was looked at, how well it is, what was found, and what to do about it. */
export type CheckResult = {
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  readonly hint: string | undefined;
};

/** A line about something that is as it should be. */
export function ok(check: string, found: string): CheckResult {
  return { check, level: 'ok', found, hint: undefined };
}

/** A line about something that its owner should query at. */
export function warn(check: string, found: string, hint?: string): CheckResult {
  return { check, level: 'warn', found, hint };
}

/** A line about something without which no job runs. */
export function fail(check: string, found: string, hint?: string): CheckResult {
  return { check, level: 'fail', found, hint };
}

/** A line about something that could not be looked at. */
export function troubled(check: string, error: AgentError, level: Level = 'fail'): CheckResult {
  return { check, level, found: error.message, hint: error.hint };
}
