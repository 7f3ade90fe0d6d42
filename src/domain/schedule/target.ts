import type { Gpu } from '../gpu.ts';
import { CPU_TARGET, type Target } from '../hold.ts';

/** What a rule may be about: the CPU slots, or a GPU or MIG slice by its uuid with the GPU that it is on. */
export type ScheduleTarget = {
  readonly id: Target;
  /** Undefined: the CPU slots. */
  readonly gpu: Pick<Gpu, 'index' | 'model' | 'uuid'> | undefined;
};

export const CPU_SLOTS: ScheduleTarget = { id: CPU_TARGET, gpu: undefined };

/** The GPUs that can be offered, of one in MIG mode its slices. */
export function gpuTargets(gpus: readonly Gpu[]): readonly ScheduleTarget[] {
  return gpus.flatMap((gpu) => {
    const ids = gpu.migMode && gpu.slices.length > 0 ? gpu.slices.map(({ uuid }) => uuid) : [gpu.uuid];
    return ids.map((id) => ({ id, gpu }));
  });
}

/** A number of at most two digits is an index: models such as `3090` have more. */
const INDEX = /^\d{1,2}$/;
const UUID = /^(?:gpu|mig)-/i;

/** Whether what an owner wrote, `cpu`, an index, (the beginning of) a uuid or a part of a model's name, names a target. */
export function isNamed(written: string, { gpu, id }: ScheduleTarget): boolean {
  const text = plain(written);
  if (text === '') return false;
  if (text === CPU_TARGET || gpu === undefined) return text === id;
  if (INDEX.test(text)) return Number(text) === gpu.index;
  if (UUID.test(text)) return [id, gpu.uuid].some((uuid) => plain(uuid).startsWith(text));
  return plain(gpu.model).includes(text);
}

function plain(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}
