import { AgentError } from '../../../domain/errors.ts';
import { type EngineFacts, NVIDIA_GPU } from '../engine/facts.ts';

/** How a container gets its GPU. `auto` is, for each GPU, the best way that works. */
export type GpuMode = 'auto' | 'cdi' | 'device-requests' | 'runtime';
export type GpuInjection = Exclude<GpuMode, 'auto'>;

/** What decides how a GPU may be injected. */
export type InjectionNeeds = {
  readonly mode: GpuMode;
  /** The OCI runtime of jobs. */
  readonly runtime: string;
};

/**
 * The ways to give this GPU or MIG slice to a container, best first; never empty. Pure. CDI comes first if the engine
 * lists the device, and after device requests if the engine cannot list devices: only a start shows whether it works.
 */
export function gpuInjectionCandidates(
  { mode, runtime }: InjectionNeeds,
  { cdi, runtimes }: Pick<EngineFacts, 'cdi' | 'runtimes'>,
  gpu: string,
): readonly [GpuInjection, ...GpuInjection[]] {
  if (mode !== 'auto') return [mode];
  // The runtime `nvidia` starts containers with runc.
  const legacy: readonly GpuInjection[] =
    runtime === 'runc' && runtimes.includes('nvidia') ? ['runtime'] : [];
  if (!cdi.enabled) return ['device-requests', ...legacy];
  if (cdi.devices === undefined) return ['device-requests', 'cdi', ...legacy];
  return cdi.devices.includes(cdiName(gpu))
    ? ['cdi', 'device-requests', ...legacy]
    : ['device-requests', ...legacy];
}

/** The CDI name of a GPU or MIG slice. */
export function cdiName(gpu: string): string {
  return `${NVIDIA_GPU}${gpu}`;
}

/** A device request in the engine's form. `DeviceIDs` is the API's spelling. */
export type DeviceRequest = {
  readonly Driver: string;
  readonly DeviceIDs: readonly string[];
  readonly Capabilities?: readonly (readonly string[])[];
};

/** The parts of a container that decide which GPUs it sees. */
export type GpuAccess = {
  /** NVIDIA_VISIBLE_DEVICES. `void` means no GPU; old toolkits gave every GPU for `none`. */
  readonly visible: string;
  readonly requests: readonly DeviceRequest[];
  /** The OCI runtime that replaces the owner's, in mode `runtime` only. */
  readonly runtime: string | undefined;
};

/** Access to one GPU or MIG slice by its uuid, or to none (null). Throws INTERNAL for any other value. */
export function gpuAccess(gpu: string | null, injection: GpuInjection): GpuAccess {
  if (gpu === null) return { visible: 'void', requests: [], runtime: undefined };
  // A comma would select two GPUs, `all` every GPU.
  if (!/^(?:GPU|MIG)-[A-Za-z0-9/-]+$/.test(gpu)) {
    throw new AgentError('INTERNAL', `${JSON.stringify(gpu)} is not a GPU uuid`);
  }
  const request = (Driver: string, id: string, capabilities?: readonly string[]): DeviceRequest => ({
    Driver,
    DeviceIDs: [id],
    ...(capabilities === undefined ? {} : { Capabilities: [capabilities] }),
  });
  const accesses: Readonly<Record<GpuInjection, GpuAccess>> = {
    cdi: { visible: 'void', requests: [request('cdi', cdiName(gpu))], runtime: undefined },
    'device-requests': {
      visible: gpu,
      requests: [request('nvidia', gpu, ['gpu', 'compute', 'utility'])],
      runtime: undefined,
    },
    runtime: { visible: gpu, requests: [], runtime: 'nvidia' },
  };
  return accesses[injection];
}
