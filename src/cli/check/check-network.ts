import type { QueryResult } from '../query.ts';
import { type CheckResult, fromError, ok, warn } from './check-result.ts';
import type { NetworkInspection } from './inspect-network.ts';

const UP = 'sudo sharedcloud-agent network up';

/** Which network jobs get. Never a failure: where the isolation is not verified, jobs run without a network. */
export function checkNetwork(answer: QueryResult<NetworkInspection>): CheckResult {
  const check = 'job network';
  if ('error' in answer) {
    const { found, hint } = fromError(check, answer.error, 'warn');
    return warn(check, `jobs get no network: ${found}`, hint);
  }
  const { leak, line, unverified, wanted } = answer.value;
  if (wanted === 'none') return ok(check, 'none (--job-network)');
  if (wanted === 'bridge')
    return warn(check, 'bridge: jobs reach this host and its network', 'set --job-network isolated');
  if (leak !== undefined) return warn(check, `jobs get no network: it is not isolated: ${leak}`, UP);
  if (line !== undefined) return warn(check, `isolated, but its rules are from an older agent: ${line}`, UP);
  if (unverified !== undefined)
    return ok(check, `isolated, to be verified before the first job: ${unverified}`);
  return ok(check, 'isolated, verified from a container');
}
