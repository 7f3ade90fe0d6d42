import { noNextChange } from '../../agent/owner/owner-commands.ts';
import { scheduleOf } from '../../compose.ts';
import type { Config } from '../../config/config.ts';
import type { NameableGpu } from '../../domain/name-targets.ts';
import type { Targets } from '../../domain/owner-command.ts';
import { ALL_TARGETS } from '../../domain/owner-decisions.ts';
import { CPU_SLOTS, gpuTargets } from '../../domain/schedule/target.ts';

/**
 * The next change of the schedule for these targets, by the configuration alone, in milliseconds of the wall clock. Throws
 * TIME_INVALID where nothing changes.
 */
export function nextChange(
  config: Pick<Config, 'availability' | 'timeZone'>,
  targets: Targets,
  gpus: readonly NameableGpu[],
  now: number,
): number {
  const known = [...gpuTargets(gpus), CPU_SLOTS];
  const meant = known.filter(({ id }) => targets === ALL_TARGETS || targets.includes(id));
  const at = scheduleOf(config).schedule.nextChange(meant, now);
  if (at === undefined) throw noNextChange();
  return at;
}
