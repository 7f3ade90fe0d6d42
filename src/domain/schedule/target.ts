import { CPU_TARGET, type Target } from '../hold.ts';
import { type NameableGpu, nameTargets } from '../name-targets.ts';
import { ALL_TARGETS } from '../owner-decisions.ts';

/** What a rule may be about: the CPU slots, or a GPU or MIG slice by its uuid with the GPU that it is on. */
export type ScheduleTarget = {
  readonly id: Target;
  /** Undefined: the CPU slots. */
  readonly gpu: Pick<NameableGpu, 'index' | 'model' | 'uuid'> | undefined;
};

export const CPU_SLOTS: ScheduleTarget = { id: CPU_TARGET, gpu: undefined };

/** The GPUs that can be offered, of one in MIG mode its slices. */
export function gpuTargets(gpus: readonly NameableGpu[]): readonly ScheduleTarget[] {
  return gpus.flatMap((gpu) => {
    const ids = gpu.slices.length > 0 ? gpu.slices.map(({ uuid }) => uuid) : [gpu.uuid];
    return ids.map((id) => ({ id, gpu }));
  });
}

/** Whether what an owner wrote names a target, in the ways in which commands name them: see `nameTargets`. */
export function isNamed(written: string, { gpu, id }: ScheduleTarget): boolean {
  const nameable = gpu === undefined ? [] : [{ ...gpu, slices: id === gpu.uuid ? [] : [{ uuid: id }] }];
  const named = nameTargets({ names: [written.trim().replace(/\s+/g, ' ')], minors: [] }, nameable);
  return named.kind === 'targets' && (named.targets === ALL_TARGETS || named.targets.includes(id));
}
