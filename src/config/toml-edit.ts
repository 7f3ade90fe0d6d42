import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import { AgentError } from '../domain/errors.ts';
import { isTable } from './file-values.ts';
import { type Statement, statementsOf } from './toml-statements.ts';

/** What a TOML file can have for a key. */
export type TomlValue = string | number | boolean | readonly string[];

/** One change: a value at the path from the top of the file, with a comment above a line that is new. */
export type TomlChange = {
  readonly path: readonly string[];
  readonly value: TomlValue;
  readonly comment?: string;
};

/** A table to be added to a list of tables, such as `[[availability]]`. */
export type TomlTable = {
  readonly name: string;
  readonly values: Readonly<Record<string, TomlValue>>;
  readonly comment?: string;
};

/**
 * A TOML text with some values set and tables added; every other character stays as it is. Throws CONFIG_INVALID where
 * that cannot be done in place, with what to write by hand.
 */
export function editToml(
  text: string,
  changes: readonly TomlChange[],
  tables: readonly TomlTable[] = [],
): string {
  let edited = text;
  for (const change of changes) edited = withValue(edited, change);
  for (const table of tables) edited = withTable(edited, table);
  if (!isValid(edited) || !isDeepStrictEqual(plain(parsed(edited)), plain(expected(text, changes, tables))))
    throw new AgentError('CONFIG_INVALID', 'the configuration file cannot be changed as it is laid out', {
      hint: `write it by hand: ${changes.map(({ path, value }) => `${path.join('.')} = ${valueText(value)}`).join('; ')}`,
    });
  return edited;
}

/** A value as TOML. */
export function valueText(value: TomlValue): string {
  if (typeof value === 'string') return quote(value);
  return typeof value === 'object' ? `[${value.map(quote).join(', ')}]` : String(value);
}

/** A basic string: TOML and JSON escape alike, but for one character. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u007F', String.raw`\u007f`);
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : quote(key);
}

function withValue(text: string, { comment, path, value }: TomlChange): string {
  const statements = statementsOf(text);
  const pair = statements.find((one) => one.kind === 'pair' && isDeepStrictEqual(one.path, path));
  if (pair !== undefined) return splice(text, pair.start, pair.end, valueText(value));
  const table = path.slice(0, -1);
  const line = `${keyText(path.at(-1) ?? '')} = ${valueText(value)}\n`;
  const lines = comment === undefined ? line : `${commentText(comment)}${line}`;
  if (table.length === 0) return insertAtTop(text, statements, path.at(-1) ?? '', lines);
  const header = statements.findIndex((one) => one.kind === 'table' && isDeepStrictEqual(one.path, table));
  if (header < 0) return `${withBreak(text)}\n[${table.map(keyText).join('.')}]\n${lines}`;
  const next = statements.findIndex((one, at) => at > header && one.kind !== 'pair');
  const last = statements[(next < 0 ? statements.length : next) - 1];
  return insertBelow(text, last?.end ?? text.length, lines);
}

/** Below the sample of the key, which is a comment; else behind the last of the keys that belong to no table. */
function insertAtTop(text: string, statements: readonly Statement[], key: string, lines: string): string {
  const tables = boundary(text, statements);
  const top = text.slice(0, tables);
  const sample = new RegExp(`^[ \\t]*#[ \\t]*${key}[ \\t]*=.*$`, 'm').exec(top);
  // The sample's own comment is above it.
  const alone = lines.slice(lines.lastIndexOf('\n', lines.length - 2) + 1);
  if (sample !== null) return insertBelow(text, sample.index + sample[0].length, alone);
  const last = statements.findLast(({ kind, line }) => kind === 'pair' && line < tables);
  if (last !== undefined) return insertBelow(text, last.end, `\n${lines}`);
  if (tables === text.length) return `${withBreak(text)}${text.trim() === '' ? '' : '\n'}${lines}`;
  // Above the comment that belongs to the table.
  const comment = /(?:^[ \t]*#.*\n)*(?![^])/m.exec(top)?.index ?? top.length;
  return splice(text, comment, comment, `${lines}\n`);
}

/** Where the tables begin, or the first sample of one: a line below it would be its own once it is no comment any more. */
function boundary(text: string, statements: readonly Statement[]): number {
  const table = statements.find(({ kind }) => kind !== 'pair')?.line ?? text.length;
  // Not in a text or a list of several lines.
  const isComment = (at: number): boolean => statements.every(({ end, start }) => at < start || at > end);
  const samples = [...text.matchAll(/^[ \t]*#[ \t]*\[/gm)].map(({ index }) => index);
  return Math.min(table, samples.find(isComment) ?? text.length);
}

function withTable(text: string, { comment, name, values }: TomlTable): string {
  const lines = Object.entries(values).map(([key, value]) => `${keyText(key)} = ${valueText(value)}\n`);
  const above = comment === undefined ? '' : commentText(comment);
  return `${withBreak(text)}\n${above}[[${keyText(name)}]]\n${lines.join('')}`;
}

function commentText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => `# ${line}`.trimEnd() + '\n')
    .join('');
}

/** Inserts lines below the line of a character. */
function insertBelow(text: string, from: number, lines: string): string {
  const end = text.indexOf('\n', from);
  if (end < 0) return `${text}\n${lines}`;
  return splice(text, end + 1, end + 1, lines);
}

function splice(text: string, start: number, end: number, middle: string): string {
  return `${text.slice(0, start)}${middle}${text.slice(end)}`;
}

function withBreak(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

type Tree = Record<string, unknown>;

function parsed(text: string): Tree {
  return parse(text.replace(/^\uFEFF/, ''));
}

function isValid(text: string): boolean {
  try {
    parsed(text);
    return true;
  } catch (cause) {
    if (cause instanceof TomlError) return false;
    throw cause;
  }
}

/** What the edited text has to say, found another way: to be compared with what it does say. */
function expected(text: string, changes: readonly TomlChange[], tables: readonly TomlTable[]): Tree {
  const tree = parsed(text);
  for (const { path, value } of changes) {
    let at = tree;
    for (const name of path.slice(0, -1)) {
      const inner = at[name];
      // A table may have any name, such as __proto__.
      const next: Tree = { __proto__: null, ...(isTable(inner) ? inner : {}) };
      at[name] = next;
      at = next;
    }
    at[path.at(-1) ?? ''] = value;
  }
  for (const { name, values } of tables) {
    const before: unknown = tree[name];
    const rows: readonly unknown[] = Array.isArray(before) ? before : [];
    tree[name] = [...rows, values];
  }
  return tree;
}

/** Without prototypes and dates, which are not compared by value. */
function plain(tree: unknown): unknown {
  return JSON.parse(JSON.stringify(tree));
}
