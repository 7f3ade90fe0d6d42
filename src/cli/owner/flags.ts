import { duration } from '../../config/duration.ts';
import { BadValue, single, type ValueType } from '../../config/value-type.ts';
import { AgentError } from '../../domain/errors.ts';
import type { CliContext, Operand, Switch, ValueFlag } from '../command.ts';
import { untilInstant } from './until.ts';

/** What a command is about. */
export const GPUS: Operand = {
  name: 'GPU',
  help: 'a GPU by its index, uuid, the beginning of one, or model; `cpu` for CPU jobs; none: everything, GPUs and CPU jobs',
};

export const FOR: ValueFlag<number> = {
  name: 'for',
  help: 'ends by itself after this time, such as 2h',
  type: duration('1s', '3650d'),
  default: '',
};

export const UNTIL: ValueFlag<string> = {
  name: 'until',
  help: 'ends by itself at this time of this host’s clock: 22:00, or 2026-12-24T18:00',
  type: text('TIME', 40),
  default: '',
};

export const UNTIL_NEXT: Switch = {
  name: 'until-next',
  help: 'ends by itself at the next change of the schedule',
};

export const NOTE: ValueFlag<string> = {
  name: 'note',
  help: 'why, shown to all who ask',
  type: text('TEXT', 500),
  default: '',
};

export const GPU_MINOR: ValueFlag<readonly number[]> = {
  name: 'gpu-minor',
  help: 'GPUs by the minor numbers of their device files, separated by commas, as schedulers name them',
  type: minors(),
  default: '',
};

export const TAG: ValueFlag<string> = {
  name: 'tag',
  help: 'a name for this pause, which `resume --tag` ends alone; pauses with other tags stay',
  type: text('NAME', 100),
  default: '',
};

function text(metavar: string, max: number): ValueType<string> {
  return single({
    metavar,
    parse: (written) => {
      if (written.length > max) throw new BadValue(`it has more than ${max} characters`, 'write less');
      return written;
    },
    show: (value) => value,
  });
}

function minors(): ValueType<readonly number[]> {
  return single({
    metavar: 'LIST',
    parse: (written) => {
      const parts = written.split(',').map((part) => part.trim());
      const bad = parts.find((part) => !/^\d{1,4}$/.test(part));
      if (bad !== undefined)
        throw new BadValue(`${JSON.stringify(bad)} is not a minor number`, 'write numbers, such as 0,2');
      return parts.map(Number);
    },
    show: (value) => value.join(','),
  });
}

/** The targets as the control API takes them. */
export function targetsOf({ has, operands, valueOf }: CliContext): { targets: string[]; minors: number[] } {
  return { targets: [...operands], minors: has(GPU_MINOR) ? [...valueOf(GPU_MINOR)] : [] };
}

/** When it ends, as the control API takes it. Throws CONFIG_INVALID for two ends at once, TIME_INVALID. */
export function lastingOf({ clock, has, valueOf }: CliContext): {
  forMs?: number;
  until?: string;
  untilNext?: true;
} {
  const given = [FOR, UNTIL, UNTIL_NEXT].filter((flag) => has(flag)).map(({ name }) => `--${name}`);
  if (given.length > 1)
    throw new AgentError('CONFIG_INVALID', `${given.join(' and ')} exclude each other`, {
      hint: 'give one end',
    });
  if (has(FOR)) return { forMs: valueOf(FOR) };
  if (has(UNTIL)) return { until: new Date(untilInstant(valueOf(UNTIL), clock.now())).toISOString() };
  return has(UNTIL_NEXT) ? { untilNext: true } : {};
}
