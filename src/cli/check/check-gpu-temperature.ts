import { type GpuSettings, maxTemperatureOf } from '../../config/gpu-settings.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { coolAgainC, isTooHot } from '../../domain/gpu-temperature.ts';
import { type CheckResult, warn } from './check-result.ts';

/** The GPUs that have a limit of their temperature, and are too hot or do not say how hot they are. One result for each. */
export function checkGpuTemperature(
  config: { readonly gpus: readonly GpuSettings[]; readonly maxGpuTemperature: number },
  gpus: readonly Gpu[],
): readonly CheckResult[] {
  return gpus.flatMap((gpu) => {
    const { fault, index, temperatureC } = gpu;
    const limitC = maxTemperatureOf(config, gpu);
    if (fault !== undefined || limitC === Number.POSITIVE_INFINITY) return [];
    const title = `gpu ${index} temperature`;
    if (temperatureC === undefined)
      return [
        warn(
          title,
          'its driver reports none, so its limit has no effect',
          'remove max-gpu-temperature for this GPU',
        ),
      ];
    if (!isTooHot(limitC, { temperatureC, asleep: false }, false)) return [];
    return [
      warn(
        title,
        `${temperatureC} °C, and no job is claimed on it from ${limitC} °C on until it is at ${coolAgainC(limitC)} °C`,
        'improve its cooling, or set max-gpu-temperature higher',
      ),
    ];
  });
}
