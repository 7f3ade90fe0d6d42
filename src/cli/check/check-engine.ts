import { SLOW_ENGINE_HINT } from '../../agent/admission/engine-latency.ts';
import { readableDuration } from '../../lib/readable.ts';
import type { EngineEndpoint } from '../../runtime/docker/engine/endpoint.ts';
import { describeFacts, type EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type EngineNeeds, unmetRequirement } from '../../runtime/docker/engine/requirements.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';

/** Whether Docker answers and meets the requirements for strangers' jobs. */
export function checkEngine(
  answer: QueryResult<EngineFacts>,
  needs: EngineNeeds,
  endpoint?: EngineEndpoint,
): CheckResult {
  const at = endpoint?.origin === undefined ? '' : `, at ${endpoint.host} (${endpoint.origin})`;
  if ('error' in answer) {
    const { found, ...result } = fromError('docker', answer.error);
    return { ...result, found: `${found}${at}` };
  }
  const runtime = needs.runtime === 'runc' ? '' : `, job runtime ${needs.runtime}`;
  const found = `${describeFacts(answer.value)}, seccomp ${answer.value.seccomp ? 'on' : 'off'}${runtime}${at}`;
  const unmet = unmetRequirement(answer.value, needs);
  if (unmet !== undefined) return fail('docker', `${found}: ${unmet.why}`, unmet.hint);
  if (answer.ms >= SLOW_MS)
    return warn('docker', `${found}, slow: two calls took ${readableDuration(answer.ms)}`, SLOW_ENGINE_HINT);
  return answer.value.rootless ? warn('docker', found, ROOTLESS) : ok('docker', found);
}

/** From how many milliseconds on two calls are slow. */
const SLOW_MS = 2_000;

/** What rootless Docker lacks. */
const ROOTLESS =
  'rootless Docker has no isolated job network, so that jobs get none; its GPUs need CDI, or no-cgroups = true in the Nvidia toolkit’s config.toml; for both, use Docker as root';
