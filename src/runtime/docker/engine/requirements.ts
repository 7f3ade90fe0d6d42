import type { GpuMode } from '../container/gpu-injection.ts';
import { atLeast, type EngineFacts, USE_DOCKER } from './facts.ts';

/** The owner's settings that an engine must support. */
export type EngineNeeds = {
  /** The OCI runtime of jobs: `runc`, or `runsc` for gVisor. */
  readonly runtime: string;
  readonly gpuMode: GpuMode;
  readonly acceptNoSeccomp: boolean;
};

/** A requirement that an engine does not meet. `why` has the engine as its subject. */
export type UnmetRequirement = {
  readonly requirement:
    | 'product'
    | 'version'
    | 'linux'
    | 'seccomp'
    | 'limits'
    | 'gpu-injection'
    | 'oci-runtime';
  readonly why: string;
  readonly hint: string;
};

/** The oldest Docker that jobs run on, and its API: before it, containers have no cgroup namespace of their own. */
const OLDEST = '20.10';
const OLDEST_API = [1, 41] as const;

/** The first requirement for jobs that the engine does not meet. Pure. */
export function unmetRequirement(
  facts: EngineFacts,
  { acceptNoSeccomp, gpuMode, runtime }: EngineNeeds,
): UnmetRequirement | undefined {
  if (facts.product === 'Podman')
    return { requirement: 'product', why: `it is Podman ${facts.version}, not Docker`, hint: USE_DOCKER };
  if (!atLeast(facts.apiVersion, OLDEST_API))
    return {
      requirement: 'version',
      why: `it is Docker ${facts.version} (API ${facts.apiVersion}), older than ${OLDEST}`,
      hint: `install Docker ${OLDEST} or newer`,
    };
  if (facts.os !== 'linux')
    return { requirement: 'linux', why: `it runs ${facts.os} containers`, hint: 'use Docker on Linux' };
  if (!facts.seccomp && !acceptNoSeccomp) {
    return {
      requirement: 'seccomp',
      why: 'it runs containers without a seccomp profile',
      hint: 'start Docker with its default seccomp profile on a kernel with CONFIG_SECCOMP_FILTER, or accept the risk with --accept-risk no-seccomp',
    };
  }
  const missing = (['memory', 'pids', 'cpu'] as const).filter((limit) => !facts.limits[limit]);
  if (missing.length > 0) {
    return {
      requirement: 'limits',
      why: `it cannot limit ${missing.join(', ')} of a container`,
      hint: facts.rootless
        ? 'use cgroup v2, and let systemd delegate these controllers to the user of rootless Docker (Delegate=cpu cpuset io memory pids)'
        : 'boot with these cgroup controllers enabled (on some systems: cgroup_enable=memory)',
    };
  }
  // The runtime `nvidia` starts containers with runc.
  if (runtime !== 'runc' && gpuMode === 'runtime') {
    return {
      requirement: 'gpu-injection',
      why: `--gpu-mode runtime gives a job its GPU with the runtime nvidia, which replaces ${runtime}`,
      hint: 'set --gpu-mode auto, or --job-runtime runc',
    };
  }
  const unknown = [runtime, ...(gpuMode === 'runtime' ? ['nvidia'] : [])].find(
    (name) => !facts.runtimes.includes(name),
  );
  if (unknown === undefined) return undefined;
  return {
    requirement: 'oci-runtime',
    why: `it has no runtime named ${unknown} (it has ${facts.runtimes.join(', ')})`,
    hint: `add ${unknown} to "runtimes" in Docker's daemon.json and restart Docker`,
  };
}
