import type { Observer } from '../../agent/events/events.ts';
import { asAgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { GpuProbe } from '../../domain/ports/gpu.ts';
import type { GpuSampler } from '../../domain/ports/gpu-samples.ts';

/** The GPU of hosts without one. */
const SIMULATED: Gpu = {
  uuid: 'GPU-00000000-0000-4000-8000-00000000d00d',
  index: 0,
  model: 'NVIDIA GeForce RTX 3060',
  busId: '00000000:01:00.0',
  driver: 'simulated',
  memoryTotalMiB: 12288,
  memoryUsedMiB: 0,
  utilizationPercent: 0,
  temperatureC: 40,
  powerDrawW: 20,
  powerLimitW: 170,
  migMode: false,
  slices: [],
  fault: undefined,
};

/** The GPUs that the dry run offers; `simulated` is the reason why they are not real ones. */
export type DryRunGpus = {
  readonly probe: GpuProbe;
  readonly names: string;
  readonly simulated: string | undefined;
  /** The figures of simulated ones. */
  readonly samples?: GpuSampler;
  /** Has to hear what the agent does, so that the figures follow it. */
  readonly observe?: Observer;
};

/** The host's GPUs, or a simulated one if none is usable. */
export async function dryRunGpus(real: GpuProbe, signal: AbortSignal): Promise<DryRunGpus> {
  try {
    const { gpus } = await real.read(signal);
    if (gpus.some((gpu) => gpu.fault === undefined)) {
      return { probe: real, names: namesOf(gpus), simulated: undefined };
    }
    return simulatedFor('every GPU of this host has a fault');
  } catch (thrown) {
    return simulatedFor(asAgentError(thrown).message);
  }
}

/** `8 x NVIDIA A100, NVIDIA T4`. */
function namesOf(gpus: readonly Gpu[]): string {
  return [...Map.groupBy(gpus, ({ model }) => model)]
    .map(([model, { length }]) => (length === 1 ? model : `${length} x ${model}`))
    .join(', ');
}

function simulatedFor(why: string): DryRunGpus {
  const reading = { gpus: [SIMULATED], notices: [] };
  return { probe: { read: () => Promise.resolve(reading) }, names: SIMULATED.model, simulated: why };
}
