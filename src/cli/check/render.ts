import { styleText } from 'node:util';
import type { Described } from '../../config/describe.ts';
import type { Writer } from '../command.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';
import type { CheckResult, Level } from './check-result.ts';

/** What `check` prints. */
export type Checked = {
  readonly results: readonly CheckResult[];
  readonly configuration: readonly Described[];
};

type Terminal = Page & Pick<Writer, 'colour'>;

const MARKS: Readonly<Record<Level, { readonly text: string; readonly style: 'green' | 'yellow' | 'red' }>> =
  {
    ok: { text: 'ok', style: 'green' },
    warn: { text: 'warn', style: 'yellow' },
    fail: { text: 'FAIL', style: 'red' },
  };
const MARK_WIDTH = 4;

/** The results, each with its hint below it unless it was shown before, a verdict, and the configuration as a table. */
export function checkText({ configuration, results }: Checked, terminal: Terminal): string {
  const { colour } = terminal;
  const nameWidth = Math.max(...results.map(({ check }) => check.length));
  const indent = MARK_WIDTH + nameWidth + 4;
  const shownHints = new Set<string>();
  const texts = results.map(({ check, found, level, hint }) => {
    const { style, text } = MARKS[level];
    const padded = text.padEnd(MARK_WIDTH);
    const mark = colour ? styleText(style, padded, { validateStream: false }) : padded;
    const paragraphs = hint === undefined || shownHints.has(hint) ? [found] : [found, `hint: ${hint}`];
    if (hint !== undefined) shownHints.add(hint);
    const [first, ...more] = paragraphs.flatMap((one) => linesOf(one, terminal, indent));
    const below = more.map((line) => `${' '.repeat(indent)}${line}\n`).join('');
    return `${mark}  ${check.padEnd(nameWidth)}  ${first}\n${below}`;
  });
  return `${texts.join('')}\n${verdict(results, terminal)}\n\n${table(COLUMNS, configuration, terminal)}`;
}

/** The same as JSON. */
export function checkJson({ configuration, results }: Checked): string {
  const checks = results.map(({ hint, ...result }) => ({ ...result, hint: hint ?? null }));
  return `${JSON.stringify({ ready: isReady(results), checks, configuration }, null, 2)}\n`;
}

/** Whether no check failed. */
export function isReady(results: readonly CheckResult[]): boolean {
  return results.every(({ level }) => level !== 'fail');
}

const COLUMNS: readonly Column<Described>[] = [
  { title: 'OPTION', cell: ({ option }) => option },
  { title: 'VALUE', cell: ({ value }) => value, wrap: true },
  { title: 'FROM', cell: ({ source }) => source.name, wrap: true },
];

/** Shown where something is not as usual. */
const HOSTS = 'docs/hosts.md lists unusual hosts, and what the agent does there';

function verdict(results: readonly CheckResult[], terminal: Terminal): string {
  const of = (level: Level): number => results.filter((result) => result.level === level).length;
  const [failed, warned] = [of('fail'), of('warn')];
  const warnings = warned === 0 ? '' : `, ${count(warned, 'warning')}`;
  const ready =
    failed === 0 ? `ready${warnings}` : `not ready: ${failed} of ${results.length} checks failed${warnings}`;
  return failed + warned === 0 ? ready : [ready, ...linesOf(HOSTS, terminal)].join('\n');
}
