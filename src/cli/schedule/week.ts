import type { OwnerSchedule } from '../../compose.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { type Period, type Schedule, unknownNames } from '../../domain/schedule/availability.ts';
import { CPU_SLOTS, gpuTargets, type ScheduleTarget } from '../../domain/schedule/target.ts';

const WEEK_MS = 7 * 86_400_000;

/** The week of a GPU, a MIG slice or the CPU slots. Times are milliseconds since the epoch. */
export type TargetWeek = {
  /** A uuid, or `cpu`. */
  readonly target: string;
  /** For people. */
  readonly name: string;
  /** When it begins to take jobs or stops; undefined: never. */
  readonly nextChange: number | undefined;
  /** What applies from now on, one period per rule; at least one. */
  readonly periods: readonly Period[];
};

/** What `schedule` prints. */
export type Week = {
  readonly now: number;
  readonly schedule: Schedule;
  readonly zoneFrom: OwnerSchedule['zoneFrom'];
  readonly targets: readonly TargetWeek[];
  /** What the owner should know of it. */
  readonly notes: readonly string[];
};

/** What there is to be scheduled. */
export type Host = {
  /** Undefined: they could not be read. */
  readonly gpus: readonly Gpu[] | undefined;
  readonly cpuSlots: number;
};

/** Evaluates the schedule of each target for a week. Pure. */
export function weekOf({ schedule, zoneFrom }: OwnerSchedule, { cpuSlots, gpus }: Host, now: number): Week {
  const found = gpuTargets(gpus ?? []);
  const targets = [...found, ...(cpuSlots > 0 || found.length === 0 ? [CPU_SLOTS] : [])];
  return {
    now,
    schedule,
    zoneFrom,
    targets: targets.map((target) => weekOfTarget(schedule, target, now)),
    notes: gpus === undefined ? [] : unknownGpus(schedule, gpus),
  };
}

/** A line for each name in the rules that no GPU of this host has. */
export function unknownGpus({ rules }: Schedule, gpus: readonly Gpu[]): readonly string[] {
  return unknownNames(rules, [CPU_SLOTS, ...gpuTargets(gpus)]).map(
    ({ name, number }) =>
      `[[availability]] number ${number} names ${JSON.stringify(name)}, which no GPU of this host has`,
  );
}

function weekOfTarget(schedule: Schedule, target: ScheduleTarget, now: number): TargetWeek {
  const its = schedule.of(target);
  return {
    target: target.id,
    name: nameOf(target),
    nextChange: its.nextChange(now),
    periods: [...its.periods(now, now + WEEK_MS)],
  };
}

/** A target for people: `GPU 0, NVIDIA T4`, with the uuid of a MIG slice. */
function nameOf({ gpu, id }: ScheduleTarget): string {
  if (gpu === undefined) return 'CPU slots';
  const name = `GPU ${gpu.index}, ${gpu.model}`;
  return id === gpu.uuid ? name : `${name}, slice ${id}`;
}
