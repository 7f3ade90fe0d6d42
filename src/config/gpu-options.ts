import type { Option } from './option.ts';
import { sizeOrPart } from './size-or-part.ts';
import { maxTemperature } from './temperature.ts';

/** The options of when a GPU may get jobs; a part of the table of all options. */
export const GPU_OPTIONS = {
  minFreeGpuMemory: {
    name: 'min-free-gpu-memory',
    env: 'SHAREDCLOUD_MIN_FREE_GPU_MEMORY',
    type: sizeOrPart('0 B', '10 TB'),
    default: '10%',
    help: 'minimum free memory of a GPU, as a size or a part of it; with less no job is claimed on it',
    group: 'Host',
  },
  maxGpuTemperature: {
    name: 'max-gpu-temperature',
    env: 'SHAREDCLOUD_MAX_GPU_TEMPERATURE',
    type: maxTemperature,
    default: 'none',
    help: 'temperature of a GPU from which no job is claimed on it, until it is 5 °C below',
    group: 'Host',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;
