import type { AvailabilityRule } from '../../domain/schedule/availability.ts';
import { hiddenRules, neverOpens } from '../../domain/schedule/flaws.ts';
import { MONTHS, WEEKDAYS } from '../../domain/schedule/window.ts';
import { isTable, orProblem, type Table, texts, unknownTableKey } from '../file-values.ts';
import type { Problem } from '../problem.ts';
import { BadValue, quoted } from '../value-type.ts';
import { readDays, readHours, readMonths } from './window-types.ts';

const KEYS = ['days', 'hours', 'months', 'available', 'gpus', 'note'];

/** More would be a mistake, and slow to evaluate. */
const MAX_RULES = 50;
const MAX_NOTE = 200;

/** Collects what is wrong with a schedule, and what is odd about it. */
type Findings = {
  readonly problems: Problem[];
  readonly warnings: string[];
  /** The keys of the top of the file. */
  readonly topKeys: readonly string[];
};

/** Reads the tables `[[availability]]` of a file. */
export function readAvailability(
  path: string,
  value: unknown,
  findings: Findings,
): readonly AvailabilityRule[] {
  const { problems, warnings } = findings;
  const where = `availability in ${path}`;
  if (!Array.isArray(value) || !value.every(isTable)) {
    const hint = 'write a table [[availability]] for each rule, in double brackets';
    problems.push({ where, what: 'is not a list of tables', hint });
    return [];
  }
  if (value.length > MAX_RULES) {
    const what = `has ${value.length} rules, and ${MAX_RULES} are the most`;
    problems.push({ where, what, hint: 'put days or hours that have the same meaning into one rule' });
    return [];
  }
  const [before, rules] = [
    problems.length,
    value.map((table, at) => readRule(path, table, at + 1, findings)),
  ];
  if (problems.length > before) return rules;
  if (neverOpens(rules)) {
    const hint = 'add a rule with available = true; to take no jobs for a while, pause the agent instead';
    problems.push({ where, what: 'never opens: by these rules no job is ever taken', hint });
  }
  for (const { number } of hiddenRules(rules))
    warnings.push(`${nameOf(number, path)} never applies: later rules win at each of its times`);
  return rules;
}

function readRule(
  path: string,
  table: Table,
  number: number,
  { problems, topKeys }: Findings,
): AvailabilityRule {
  const where = nameOf(number, path);
  for (const key of Object.keys(table))
    if (!KEYS.includes(key))
      problems.push(unknownTableKey(where, key, { name: '[[availability]]', keys: KEYS, topKeys }));
  const value = <T>(key: string, read: (written: readonly string[]) => T): T | undefined => {
    if (!Object.hasOwn(table, key)) return undefined;
    const written = texts(where, key, table[key], problems);
    return written && orProblem(`${key} in ${where}`, problems, () => read(written));
  };
  const { available } = table;
  if (typeof available !== 'boolean') {
    const what = available === undefined ? 'is missing' : 'is neither true nor false';
    const hint = 'write available = true or available = false, without quotes';
    problems.push({ where: `available in ${where}`, what, hint });
  }
  return {
    number,
    window: {
      days: value('days', readDays) ?? new Set(WEEKDAYS.keys()),
      hours: value('hours', readHours) ?? [],
      months: value('months', readMonths) ?? new Set(MONTHS.keys()),
    },
    available: available === true,
    gpus: value('gpus', readNames),
    note: value('note', readNote),
  };
}

function nameOf(number: number, path: string): string {
  return `[[availability]] number ${number} in ${path}`;
}

function readNames(written: readonly string[]): readonly string[] {
  const names = written.map((text) => text.trim());
  if (names.length > 0 && !names.includes('')) return names;
  throw new BadValue(
    names.length === 0 ? 'names no GPU' : 'has an empty name',
    'name GPUs by a part of their model, index or uuid, or write "cpu"; without gpus, a rule is about all',
  );
}

function readNote(written: readonly string[]): string {
  const note = written.join(' ').trim();
  if (note !== '' && note.length <= MAX_NOTE) return note;
  throw new BadValue(
    note === '' ? 'is empty' : `${quoted(note)} is longer than ${MAX_NOTE} characters`,
    'write a few words, such as "evening window"',
  );
}
