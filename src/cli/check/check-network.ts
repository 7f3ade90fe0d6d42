import type { QueryResult } from '../query.ts';
import { type CheckResult, ok, troubled, warn } from './check-result.ts';
import type { NetworkInspection } from './inspect-network.ts';

const UP = 'sudo sharedcloud-agent network up';

/** Which network jobs get. Nothing here stands in the way of jobs: they go without a network where it is not proved. */
export function checkNetwork(answer: QueryResult<NetworkInspection>): CheckResult {
  const check = 'job network';
  if ('error' in answer) {
    const { found, hint } = troubled(check, answer.error, 'warn');
    return warn(check, `jobs get none: ${found}`, hint);
  }
  const { unproven, untried, wanted } = answer.value;
  if (wanted === 'none') return ok(check, 'none, as --job-network says');
  if (wanted === 'bridge')
    return warn(check, 'bridge: jobs reach this host and its network', 'leave --job-network at isolated');
  if (unproven !== undefined) return warn(check, `jobs get none: it is not isolated: ${unproven}`, UP);
  if (untried !== undefined) return ok(check, `isolated, to be proved before the first job: ${untried}`);
  return ok(check, 'isolated, proved by a container that reached nothing of this host');
}
