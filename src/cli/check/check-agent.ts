import { UNTESTED } from '../../agent/admission/admission.ts';
import type { Health } from '../ask-health.ts';
import { type CheckResult, fail, ok, warn } from './check-result.ts';

/**
 * Whether the running agent claims jobs: it knows how the jobs of this host went, which no check can try. Nothing where no
 * agent runs, or where it could not be asked.
 */
export function checkAgent(health: Health | undefined): readonly CheckResult[] {
  const check = 'running agent';
  if (health?.kind === 'silent')
    return [warn(check, 'it does not answer', 'see its log, and restart it if it stays silent')];
  if (health?.kind !== 'alive') return [];
  const { degraded, hint, status, why } = health;
  // It has just started; what keeps it from a test container is the result of another check.
  if (why === UNTESTED.why) return [warn(check, `it claims no job: ${why}`)];
  if (why !== null) return [fail(check, `it claims no job: ${why}`, hint ?? undefined)];
  return [degraded === null ? ok(check, status) : warn(check, degraded, hint ?? undefined)];
}
