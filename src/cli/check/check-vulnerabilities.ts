import type { Gpu } from '../../domain/gpu.ts';
import { type AcceptableRisk, risksOf } from '../../domain/vulnerabilities.ts';
import type { EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type QueryResult, valueOf } from '../query.ts';
import { type CheckResult, fail, ok, warn } from './check-result.ts';

/** The known vulnerabilities of Docker, runc, toolkit, driver and kernel that affect jobs: one result for each. */
export function checkVulnerabilities(
  seen: {
    readonly engine: QueryResult<EngineFacts>;
    readonly gpus: readonly Gpu[];
    readonly toolkit: string | undefined;
  },
  accepted: readonly AcceptableRisk[],
): readonly CheckResult[] {
  const check = 'known vulnerabilities';
  const engine = valueOf(seen.engine);
  const { gpus } = seen;
  if (engine === undefined) return [warn(check, 'unknown: Docker does not answer')];
  const risks = risksOf(
    {
      docker: engine.version,
      runc: engine.runc,
      'nvidia-container-toolkit': seen.toolkit,
      'nvidia-driver': gpus[0]?.driver,
      seccomp: engine.seccomp,
    },
    { gpu: gpus.length > 0, accepted },
  );
  if (risks.length === 0) return [ok(check, 'none')];
  return risks.map(({ hint, severity, what }) =>
    severity === 'refuse' ? fail(check, `${what}: no GPU is offered`, hint) : warn(check, what, hint),
  );
}
