import { chooseGpuInjection, type GpuMode } from '../container/gpu-injection.ts';
import type { EngineFacts } from './facts.ts';

/** What the owner wants of an engine. */
export type EngineNeeds = {
  /** What starts jobs, by its name at the engine: the usual `runc`, or `runsc`, which is gVisor. */
  readonly runtime: string;
  readonly gpuMode: GpuMode;
  readonly acceptNoSeccomp: boolean;
};

/** What makes an engine unfit for strangers' jobs, and the hint; undefined where nothing does. Pure. */
export function unmetRequirement(
  facts: EngineFacts,
  { acceptNoSeccomp, gpuMode, runtime }: EngineNeeds,
): { readonly why: string; readonly hint: string } | undefined {
  if (facts.os !== 'linux') return { why: `it runs ${facts.os} containers`, hint: 'use a Linux engine' };
  if (!facts.seccomp && !acceptNoSeccomp) {
    return {
      why: 'it runs containers without a seccomp profile',
      hint: 'start Docker with its default seccomp profile, on a kernel with CONFIG_SECCOMP_FILTER; or accept the risk by --accept-risk no-seccomp',
    };
  }
  const missing = (['memory', 'pids', 'cpu'] as const).filter((limit) => !facts.limits[limit]);
  if (missing.length > 0) {
    return {
      why: `it cannot limit ${missing.join(', ')} of a container`,
      hint: 'boot with these cgroup controllers enabled (cgroup_enable=memory on some systems)',
    };
  }
  // The runtime named nvidia starts jobs itself, by runc.
  if (runtime !== 'runc' && chooseGpuInjection(gpuMode, facts) === 'runtime') {
    return {
      why: `GPUs would come by the runtime nvidia, which takes the place of ${runtime}`,
      hint: 'use Docker 19.03 or newer and --gpu-mode auto, or --job-runtime runc',
    };
  }
  const unknown = [runtime, ...(gpuMode === 'runtime' ? ['nvidia'] : [])].find(
    (name) => !facts.runtimes.includes(name),
  );
  if (unknown === undefined) return undefined;
  return {
    why: `it has no runtime named ${unknown} (it has ${facts.runtimes.join(', ')})`,
    hint: `add ${unknown} to "runtimes" in Docker's daemon.json and restart Docker`,
  };
}
