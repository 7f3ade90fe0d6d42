import { AgentError } from '../../../domain/errors.ts';
import type { EngineFacts } from '../engine/facts.ts';

/** How a container gets its GPU. `auto` is the best way that the engine supports. */
export type GpuMode = 'auto' | 'cdi' | 'device-requests' | 'runtime';
export type GpuInjection = Exclude<GpuMode, 'auto'>;

/** Resolves `auto` for this engine. */
export function chooseGpuInjection(mode: GpuMode, facts: EngineFacts): GpuInjection {
  if (mode !== 'auto') return mode;
  if (facts.cdi) return 'cdi';
  const [major = 0, minor = 0] = facts.apiVersion.split('.').map(Number);
  // API 1.40 (Docker 19.03) introduced device requests.
  return major > 1 || minor >= 40 ? 'device-requests' : 'runtime';
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
    cdi: { visible: 'void', requests: [request('cdi', `nvidia.com/gpu=${gpu}`)], runtime: undefined },
    'device-requests': {
      visible: gpu,
      requests: [request('nvidia', gpu, ['gpu', 'compute', 'utility'])],
      runtime: undefined,
    },
    runtime: { visible: gpu, requests: [], runtime: 'nvidia' },
  };
  return accesses[injection];
}
