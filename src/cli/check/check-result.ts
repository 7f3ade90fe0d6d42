import type { AgentError } from '../../domain/errors.ts';

/** `warn` needs attention but lets jobs run; `fail` does not. */
export type Level = 'ok' | 'warn' | 'fail';

/** One line of `check`. */
export type CheckResult = {
  /** What was checked, such as `state directory`. */
  readonly check: string;
  readonly level: Level;
  readonly found: string;
  readonly hint: string | undefined;
};

export function ok(check: string, found: string): CheckResult {
  return { check, level: 'ok', found, hint: undefined };
}

export function warn(check: string, found: string, hint?: string): CheckResult {
  return { check, level: 'warn', found, hint };
}

export function fail(check: string, found: string, hint?: string): CheckResult {
  return { check, level: 'fail', found, hint };
}

/** The result where the check itself failed. */
export function fromError(check: string, error: AgentError, level: Level = 'fail'): CheckResult {
  return { check, level, found: error.message, hint: error.hint };
}
