import type { Gpu } from '../../domain/gpu.ts';
import {
  cdiName,
  type GpuInjection,
  gpuInjectionCandidates,
  type InjectionNeeds,
} from '../../runtime/docker/container/gpu-injection.ts';
import type { EngineFacts } from '../../runtime/docker/engine/facts.ts';
import {
  ENABLE_CDI,
  INJECTION_NAMES,
  INSTALL_HOOK,
  INSTALL_TOOLKIT,
  type Injected,
  staleSpec,
} from '../../runtime/docker/engine/injection-error.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, ok, warn } from './check-result.ts';

/** What decides how containers get this host's GPUs. */
export type GpuNeed = InjectionNeeds & {
  readonly gpus: readonly Gpu[];
  /** Whether the hook of Nvidia's container toolkit is installed on this machine. */
  readonly hook: boolean;
};

const CHECK = 'gpu access';

/** How Docker gives containers each GPU and MIG slice, and what is missing for it: one result per way. */
export function checkGpuAccess(answer: QueryResult<EngineFacts>, need: GpuNeed): readonly CheckResult[] {
  if ('error' in answer) return [warn(CHECK, 'unknown: Docker does not answer')];
  const facts = answer.value;
  if (need.gpus.length === 0) return [checkWithoutGpu(facts, need)];
  const devices = need.gpus.flatMap(({ index, migMode, slices, uuid }) =>
    migMode
      ? slices.map((slice) => ({ uuid: slice.uuid, name: `${index} (${slice.profile})` }))
      : [{ uuid, name: String(index) }],
  );
  const ways = Map.groupBy(devices, ({ uuid }) => gpuInjectionCandidates(need, facts, uuid)[0]);
  const results = [...ways].map(([injection, given]) => {
    const [first] = given;
    const names = [...new Set(given.map(({ name }) => name))].join(', ');
    const found = `${INJECTION_NAMES[injection]}${need.mode === 'auto' ? '' : ' (--gpu-mode)'} for GPU ${names}`;
    return checkWay(injection, found, { gpu: first?.uuid ?? '', facts }, need);
  });
  const mayLoseGpus = facts.cgroupDriver === 'systemd' && [...ways.keys()].some((way) => way !== 'cdi');
  return mayLoseGpus ? [...results, RELOAD] : results;
}

/** Nvidia's container toolkit sets device rules behind the back of systemd, which resets them at every reload. */
const RELOAD = warn(
  CHECK,
  'without CDI, each systemctl daemon-reload (any package may run it) takes the GPUs of running jobs away',
  'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml, use Docker 28.2 or newer, and leave --gpu-mode auto',
);

function checkWay(
  injection: GpuInjection,
  found: string,
  injected: Pick<Injected, 'gpu' | 'facts'>,
  need: GpuNeed,
): CheckResult {
  const { cdi, runtimes } = injected.facts;
  const isUnlisted = cdi.devices !== undefined && !cdi.devices.includes(cdiName(injected.gpu));
  if (injection === 'cdi') {
    if (!cdi.enabled) return fail(CHECK, `${found}: Docker reads no CDI specs`, ENABLE_CDI);
    return isUnlisted
      ? fail(CHECK, `${found}: no CDI spec of Docker has it`, staleSpec(injected))
      : ok(CHECK, found);
  }
  if (injection === 'runtime')
    return runtimes.includes('nvidia')
      ? ok(CHECK, found)
      : fail(CHECK, `${found}: Docker has no such runtime`, INSTALL_TOOLKIT);
  // Without specs for Nvidia, the owner does not use CDI; in WSL2, they have only the name for all GPUs.
  if (cdi.enabled && isUnlisted && cdi.devices.some((name) => name !== cdiName('all')))
    return warn(CHECK, `${found}: the CDI specs of Docker are stale`, staleSpec(injected));
  if (need.hook) return ok(CHECK, found);
  return runtimes.includes('nvidia')
    ? warn(CHECK, `${found}: nvidia-container-runtime-hook was not found`, INSTALL_HOOK)
    : warn(CHECK, `${found}: Nvidia’s container toolkit was not found`, INSTALL_TOOLKIT);
}

/** A host without a GPU needs no access to one, so nothing is a failure. */
function checkWithoutGpu({ cdi, runtimes }: EngineFacts, { mode }: GpuNeed): CheckResult {
  if (mode === 'cdi' && !cdi.enabled)
    return warn(CHECK, 'Docker reads no CDI specs (--gpu-mode)', ENABLE_CDI);
  if (mode === 'runtime' && !runtimes.includes('nvidia'))
    return warn(CHECK, 'Docker has no runtime nvidia (--gpu-mode)', INSTALL_TOOLKIT);
  return ok(CHECK, 'not needed without a GPU');
}
