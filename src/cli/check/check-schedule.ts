import { type OwnerSchedule, scheduleOf } from '../../compose.ts';
import type { Config } from '../../config/config.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { opens } from '../../domain/schedule/flaws.ts';
import { CPU_SLOTS, gpuTargets } from '../../domain/schedule/target.ts';
import { count } from '../count.ts';
import { unknownGpus } from '../schedule/week.ts';
import { type CheckResult, ok, warn } from './check-result.ts';

const NAME = 'schedule';
const SHOW = 'run sharedcloud-agent schedule to see the coming week';

/** What the owner's rules say about this host; nothing without rules. `gpus` is undefined if they could not be read. */
export function checkSchedule(config: Config, gpus: readonly Gpu[] | undefined): readonly CheckResult[] {
  if (config.availability.length === 0) return [];
  const owned = scheduleOf(config);
  const { schedule } = owned;
  const targets = [...gpuTargets(gpus ?? []), ...(config.cpuSlots > 0 ? [CPU_SLOTS] : [])];
  const never = targets.filter((target) => !opens(schedule.of(target).rules));
  const names = never.map(({ gpu, id }) =>
    gpu === undefined ? 'the CPU slots' : `GPU ${gpu.index} (${id})`,
  );
  return [
    zoneResult(owned),
    ...unknownGpus(schedule, gpus ?? [])
      .filter(() => gpus !== undefined)
      .map((note) => warn(NAME, note, 'correct the name; nvidia-smi -L lists the GPUs')),
    ...names.map((name) => warn(NAME, `${name} never takes jobs by the rules`, SHOW)),
  ];
}

function zoneResult({ schedule: { rules, zone }, zoneFrom }: OwnerSchedule): CheckResult {
  const found = `${count(rules.length, 'rule')}, time zone ${zone.name}`;
  if (zoneFrom === 'assumed')
    return warn(NAME, `${found}, assumed because this host has none`, 'set time-zone, such as Europe/Berlin');
  return ok(NAME, zoneFrom === 'host' ? `${found}, that of this host` : found);
}
