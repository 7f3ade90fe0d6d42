import { AgentError } from '../../../domain/errors.ts';
import type { EngineFacts } from '../engine/facts.ts';

/** How a container gets its GPU; `auto` takes the best way that the engine has. */
export type GpuMode = 'auto' | 'cdi' | 'device-requests' | 'runtime';
export type GpuInjection = Exclude<GpuMode, 'auto'>;

/** The way that `auto` stands for at this engine. */
export function chooseGpuInjection(mode: GpuMode, facts: EngineFacts): GpuInjection {
  if (mode !== 'auto') return mode;
  if (facts.cdi) return 'cdi';
  const [major = 0, minor = 0] = facts.apiVersion.split('.').map(Number);
  // Device requests came with API 1.40 (Docker 19.03).
  return major > 1 || minor >= 40 ? 'device-requests' : 'runtime';
}

/** A device request as the engine takes it (`DeviceIDs` is its spelling). */
export type DeviceRequest = {
  readonly Driver: string;
  readonly DeviceIDs: readonly string[];
  readonly Capabilities?: readonly (readonly string[])[];
};

/** The parts of a container that decide which GPUs it sees. */
export type GpuAccess = {
  /** NVIDIA_VISIBLE_DEVICES; `void`, because `none` once gave all GPUs. */
  readonly visible: string;
  readonly requests: readonly DeviceRequest[];
  /** The low-level runtime to use instead of the owner's, for the legacy way. */
  readonly runtime: string | undefined;
};

/** The access for one GPU or MIG slice by its uuid, or for none (null). */
export function gpuAccess(gpu: string | null, way: GpuInjection): GpuAccess {
  if (gpu === null) return { visible: 'void', requests: [], runtime: undefined };
  // A comma would name two GPUs, `all` every one.
  if (!/^(?:GPU|MIG)-[A-Za-z0-9/-]+$/.test(gpu)) {
    throw new AgentError('INTERNAL', `${JSON.stringify(gpu)} is not the uuid of a GPU`);
  }
  const request = (Driver: string, id: string, capabilities?: readonly string[]): DeviceRequest => ({
    Driver,
    DeviceIDs: [id],
    ...(capabilities === undefined ? {} : { Capabilities: [capabilities] }),
  });
  const ways: Readonly<Record<GpuInjection, GpuAccess>> = {
    cdi: { visible: 'void', requests: [request('cdi', `nvidia.com/gpu=${gpu}`)], runtime: undefined },
    'device-requests': {
      visible: gpu,
      requests: [request('nvidia', gpu, ['gpu', 'compute', 'utility'])],
      runtime: undefined,
    },
    runtime: { visible: gpu, requests: [], runtime: 'nvidia' },
  };
  return ways[way];
}
