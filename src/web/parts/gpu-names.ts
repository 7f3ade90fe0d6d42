import { useMemo } from 'preact/hooks';
import { useLive } from '../services.ts';
import { targetLabel } from '../target-words.ts';

export type GpuNames = ReadonlyMap<string, string>;

/** The names of the GPUs and slices by their uuids; the same map until one of them changes. */
export function useGpuNames(): GpuNames {
  const key = useLive(
    ({ status }) => status?.targets.map((one) => `${one.target} ${targetLabel(one)}`).join('\n') ?? '',
  );
  return useMemo(
    () =>
      new Map(
        key
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
      ),
    [key],
  );
}

/** The name of a job’s GPU, else its uuid. */
export function gpuName(names: GpuNames, gpu: string | null): string {
  return gpu === null ? 'CPU' : (names.get(gpu) ?? gpu);
}
