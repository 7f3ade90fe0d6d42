import { z } from 'zod';
import { count } from '../../config/number-types.ts';
import { choice } from '../../config/text-types.ts';
import { BadValue, quoted, single, type ValueType } from '../../config/value-type.ts';
import { EARNINGS_BY, type EarningsBy } from '../../domain/earnings.ts';
import { AgentError } from '../../domain/errors.ts';
import { daysBefore, type LocalDay, localDayOf, startOfDay } from '../../domain/local-day.ts';
import type { EarningsQuery } from '../../journal/earnings.ts';
import type { CliContext, ValueFlag } from '../command.ts';

const DAY = z.iso.date();

const localDay: ValueType<LocalDay | undefined> = single({
  metavar: 'DAY',
  parse: (text) => {
    if (text === '' || DAY.safeParse(text).success) return text === '' ? undefined : text;
    throw new BadValue(`${quoted(text)} is not a day`, 'write a day such as 2026-11-27');
  },
});

const action = '';

export const BY: ValueFlag<EarningsBy> = {
  name: 'by',
  help: 'by what earnings are summed',
  type: choice(...EARNINGS_BY),
  default: 'day',
  action,
};
/** Also of `earnings reconcile`. */
export const DAYS: ValueFlag<number> = {
  name: 'days',
  help: 'how many days, the last of them today; `reconcile` looks no further back than --keep-history',
  type: count(1, 36_500),
  default: '30',
};
export const FROM: ValueFlag<LocalDay | undefined> = {
  name: 'from',
  help: 'the first day, instead of --days; a day of this host’s time zone, such as 2026-11-27',
  type: localDay,
  default: '',
  action,
};
export const UNTIL: ValueFlag<LocalDay | undefined> = {
  name: 'until',
  help: 'the last day; by default today',
  type: localDay,
  default: '',
  action,
};

/** Reads from the command line which days are wanted. Throws CONFIG_INVALID. */
export function readQuery(context: Pick<CliContext, 'clock' | 'has' | 'valueOf'>): EarningsQuery {
  const until = context.valueOf(UNTIL) ?? localDayOf(context.clock.now());
  const first = context.valueOf(FROM);
  if (first !== undefined && context.has(DAYS))
    throw invalid('--from and --days both say where the days begin', 'give one of the two');
  const from = first ?? daysBefore(startOfDay(until), context.valueOf(DAYS) - 1);
  if (from > until) throw invalid(`--from ${from} is after ${until}, the last day`, 'swap the two days');
  return { from, until, by: context.valueOf(BY) };
}

function invalid(message: string, hint: string): AgentError {
  return new AgentError('CONFIG_INVALID', message, { hint });
}
