import { styleText } from 'node:util';
import type { Described } from '../../config/describe.ts';
import { escapeControls } from '../../lib/escape.ts';
import { count } from '../count.ts';
import { type Column, table } from '../table.ts';
import type { CheckResult, Level } from './check-result.ts';

/** What `check` has to show. */
export type Checked = {
  readonly lines: readonly CheckResult[];
  readonly configuration: readonly Described[];
};

const MARKS: Readonly<Record<Level, { readonly text: string; readonly style: 'green' | 'yellow' | 'red' }>> =
  {
    ok: { text: 'ok', style: 'green' },
    warn: { text: 'warn', style: 'yellow' },
    fail: { text: 'FAIL', style: 'red' },
  };
const MARK_WIDTH = 4;

/** The lines, each with its hint below it, a verdict, and the table of the configuration. */
export function checkText({ configuration, lines }: Checked, colour: boolean): string {
  const width = Math.max(...lines.map(({ check }) => check.length));
  const shown = lines.map(({ check, found, level, hint }) => {
    const { style, text } = MARKS[level];
    const padded = text.padEnd(MARK_WIDTH);
    const mark = colour ? styleText(style, padded, { validateStream: false }) : padded;
    const indent = ' '.repeat(MARK_WIDTH + width + 4);
    const below = hint === undefined ? '' : `${indent}hint: ${escapeControls(hint)}\n`;
    return `${mark}  ${check.padEnd(width)}  ${escapeControls(found)}\n${below}`;
  });
  return `${shown.join('')}\n${verdict(lines)}\n\n${table(COLUMNS, configuration)}`;
}

/** The same for programs. */
export function checkJson({ configuration, lines }: Checked): string {
  const checks = lines.map(({ hint, ...line }) => ({ ...line, hint: hint ?? null }));
  return `${JSON.stringify({ ready: isReady(lines), checks, configuration }, null, 2)}\n`;
}

/** Whether nothing stands in the way of jobs. */
export function isReady(lines: readonly CheckResult[]): boolean {
  return lines.every(({ level }) => level !== 'fail');
}

const COLUMNS: readonly Column<Described>[] = [
  { title: 'OPTION', cell: ({ option }) => option },
  { title: 'VALUE', cell: ({ value }) => value },
  { title: 'FROM', cell: ({ source }) => source.name },
];

function verdict(lines: readonly CheckResult[]): string {
  const of = (level: Level): number => lines.filter((line) => line.level === level).length;
  const [failed, warned] = [of('fail'), of('warn')];
  const warnings = warned === 0 ? '' : `, ${count(warned, 'warning')}`;
  return failed === 0
    ? `ready${warnings}`
    : `not ready: ${failed} of ${lines.length} checks failed${warnings}`;
}
