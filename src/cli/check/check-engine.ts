import { chooseGpuInjection, type GpuMode } from '../../runtime/docker/container/gpu-injection.ts';
import { describeFacts, type EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type EngineNeeds, unmetRequirement } from '../../runtime/docker/engine/requirements.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, ok, troubled, warn } from './check-result.ts';

/** Whether Docker answers and keeps strangers' jobs where they belong. */
export function checkEngine(answer: QueryResult<EngineFacts>, needs: EngineNeeds): CheckResult {
  if ('error' in answer) return troubled('docker', answer.error);
  const jobs = needs.runtime === 'runc' ? '' : `, jobs in ${needs.runtime}`;
  const found = `${describeFacts(answer.value)}, seccomp ${answer.value.seccomp ? 'on' : 'off'}${jobs}`;
  const unfit = unmetRequirement(answer.value, needs);
  return unfit === undefined ? ok('docker', found) : fail('docker', `${found}: ${unfit.why}`, unfit.hint);
}

/** What is known about GPUs when it comes to how a container gets one. */
export type GpuNeed = {
  readonly mode: GpuMode;
  /** Whether this host has a GPU that could be given out. */
  readonly wanted: boolean;
  /** Whether the hook of Nvidia's container toolkit is found on this machine. */
  readonly hook: boolean;
};

const RESTART = 'sudo systemctl restart docker';
const TOOLKIT = `install the Nvidia container toolkit, then: sudo nvidia-ctk runtime configure --runtime=docker && ${RESTART}`;

/** Whether Docker has the way by which a container is to get its GPU. */
export function checkGpuAccess(answer: QueryResult<EngineFacts>, need: GpuNeed): CheckResult {
  const check = 'gpu access';
  if ('error' in answer) return warn(check, 'not known, since Docker does not answer');
  const engine = answer.value;
  const way = chooseGpuInjection(need.mode, engine);
  const words = `by ${WAYS[way]}${need.mode === 'auto' ? '' : ' (--gpu-mode)'}`;
  // Without a GPU nobody needs it, and there is nothing to hint yet.
  const lacking = need.wanted ? fail : warn;
  if (way === 'cdi')
    return engine.cdi
      ? ok(check, words)
      : lacking(
          check,
          `${words}, and Docker knows no device nvidia.com/gpu`,
          `with Docker 25 or newer: sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml && ${RESTART}`,
        );
  if (way === 'runtime')
    return engine.runtimes.includes('nvidia')
      ? ok(check, words)
      : lacking(check, `${words}, and Docker has no runtime named nvidia`, TOOLKIT);
  if (need.hook || engine.runtimes.includes('nvidia')) return ok(check, words);
  if (!need.wanted) return ok(check, `${words}; not needed without a GPU`);
  return warn(check, `${words}, and there is no sign of Nvidia’s container toolkit`, TOOLKIT);
}

const WAYS = {
  cdi: 'CDI',
  'device-requests': 'device requests',
  runtime: 'the runtime nvidia',
} as const;
