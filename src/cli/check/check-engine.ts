import { describeFacts, type EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type EngineNeeds, unmetRequirement } from '../../runtime/docker/engine/requirements.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, fromError, ok } from './check-result.ts';

/** Whether Docker answers and meets the requirements for strangers' jobs. */
export function checkEngine(answer: QueryResult<EngineFacts>, needs: EngineNeeds): CheckResult {
  if ('error' in answer) return fromError('docker', answer.error);
  const runtime = needs.runtime === 'runc' ? '' : `, job runtime ${needs.runtime}`;
  const found = `${describeFacts(answer.value)}, seccomp ${answer.value.seccomp ? 'on' : 'off'}${runtime}`;
  const unmet = unmetRequirement(answer.value, needs);
  return unmet === undefined ? ok('docker', found) : fail('docker', `${found}: ${unmet.why}`, unmet.hint);
}
