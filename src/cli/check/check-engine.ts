import { chooseGpuInjection, type GpuMode } from '../../runtime/docker/container/gpu-injection.ts';
import { describeFacts, type EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type EngineNeeds, unmetRequirement } from '../../runtime/docker/engine/requirements.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';

/** Whether Docker answers and meets the requirements for strangers' jobs. */
export function checkEngine(answer: QueryResult<EngineFacts>, needs: EngineNeeds): CheckResult {
  if ('error' in answer) return fromError('docker', answer.error);
  const runtime = needs.runtime === 'runc' ? '' : `, job runtime ${needs.runtime}`;
  const found = `${describeFacts(answer.value)}, seccomp ${answer.value.seccomp ? 'on' : 'off'}${runtime}`;
  const unmet = unmetRequirement(answer.value, needs);
  return unmet === undefined ? ok('docker', found) : fail('docker', `${found}: ${unmet.why}`, unmet.hint);
}

/** What decides how a container gets a GPU. */
export type GpuNeed = {
  readonly mode: GpuMode;
  /** Whether this host has a GPU. */
  readonly wanted: boolean;
  /** Whether the hook of Nvidia's container toolkit is installed on this machine. */
  readonly hook: boolean;
};

const RESTART = 'sudo systemctl restart docker';
const TOOLKIT = `install the Nvidia container toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && ${RESTART}`;

/** Whether Docker can give a container its GPU in the configured way. */
export function checkGpuAccess(answer: QueryResult<EngineFacts>, need: GpuNeed): CheckResult {
  const check = 'gpu access';
  if ('error' in answer) return warn(check, 'unknown: Docker does not answer');
  const engine = answer.value;
  const injection = chooseGpuInjection(need.mode, engine);
  const found = `${INJECTIONS[injection]}${need.mode === 'auto' ? '' : ' (--gpu-mode)'}`;
  // A host without a GPU needs no access to one.
  const missing = need.wanted ? fail : warn;
  if (injection === 'cdi')
    return engine.cdi
      ? ok(check, found)
      : missing(
          check,
          `${found}: Docker knows no device nvidia.com/gpu`,
          `with Docker 25 or newer: sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml && ${RESTART}`,
        );
  if (injection === 'runtime')
    return engine.runtimes.includes('nvidia')
      ? ok(check, found)
      : missing(check, `${found}: Docker has no such runtime`, TOOLKIT);
  if (need.hook || engine.runtimes.includes('nvidia')) return ok(check, found);
  if (!need.wanted) return ok(check, `${found}; not needed without a GPU`);
  return warn(check, `${found}: Nvidia’s container toolkit was not found`, TOOLKIT);
}

const INJECTIONS = {
  cdi: 'CDI',
  'device-requests': 'device requests',
  runtime: 'runtime nvidia',
} as const;
