import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../scripts/docs/commands.ts';
import { COMMAND_GROUPS } from '../../../src/cli/command.ts';
import { readCommandLine } from '../../../src/cli/command-line.ts';
import { commandHelp, programHelp } from '../../../src/cli/help.ts';
import { maySet } from '../../../src/config/option.ts';
import { OPTION_KEYS, optionOf } from '../../../src/config/options.ts';

const WIDTH = 80;
const MIN_TEXT_WIDTH = 50;

/** The lines of the sections that list terms with their texts. */
function listedLines(help: string): readonly string[] {
  const sections = help.split('\n\n').filter((section) => !/^(?:Usage|Examples|Exit codes):/.test(section));
  return sections
    .filter((section) => section.includes(':\n'))
    .flatMap((section) => section.split('\n').slice(1));
}

/** The column in which the text of a line starts, beside a term or below it; undefined: the line is a term alone. */
function textColumn(line: string): number | undefined {
  const start = /^ {2}\S.*? {2,}(?=\S)|^ {3,}(?=\S)/.exec(line);
  return start?.[0].length;
}

describe.each([
  { name: 'the program', help: programHelp(COMMANDS) },
  ...COMMANDS.map((command) => ({ name: command.name, help: commandHelp(command) })),
])('the help of $name', ({ help }) => {
  test('fits 80 columns', () => {
    expect(help.split('\n').filter(({ length }) => length > WIDTH)).toEqual([]);
  });

  test('gives each text at least 50 columns', () => {
    const columns = listedLines(help).flatMap((line) => textColumn(line) ?? []);
    expect(columns.length).toBeGreaterThan(0);
    expect(Math.max(...columns)).toBeLessThanOrEqual(WIDTH - MIN_TEXT_WIDTH);
  });
});

describe.each(COMMANDS)('the help of $name', (command) => {
  const help = commandHelp(command);

  test('names each of its options with its variable and its default once', () => {
    for (const option of command.options.map(optionOf).filter((one) => maySet(one, 'flag'))) {
      expect(help.split(`  --${option.name} <${option.type.metavar}>`)).toHaveLength(2);
      expect(help.split(`[env: ${option.env}]`)).toHaveLength(2);
    }
    const without = command.values.filter((flag) => flag.default === '').length;
    const terms = help.match(/--[a-z-]+ <\S+>/g)?.length ?? 0;
    expect(help.match(/\[default: /g)?.length ?? 0).toBe(terms - without);
  });

  test('leaves out what is no flag', () => {
    for (const option of OPTION_KEYS.map(optionOf).filter((one) => !maySet(one, 'flag')))
      expect(help).not.toContain(`--${option.name} `);
  });

  test('ends with examples that can be run', () => {
    expect(command.examples.length).toBeGreaterThan(0);
    const [, examples = ''] = help.split('\nExamples:\n');
    for (const { line } of command.examples) {
      expect(examples).toContain(`  sharedcloud-agent ${line}\n`);
      expect(readCommandLine(line.split(' '), COMMANDS, '0')).toMatchObject({ kind: 'command', command });
    }
  });
});

test('the help of the program lists each command once, in its group', () => {
  const sections = new Map(
    programHelp(COMMANDS)
      .split('\n\n')
      .map((section) => [section.slice(0, section.indexOf(':')), section] as const),
  );
  for (const group of COMMAND_GROUPS) {
    const listed = [...(sections.get(group) ?? '').matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
    const expected = COMMANDS.filter((command) => command.group === group).map(({ name }) => name);
    expect(listed).toEqual(expected);
  }
});
