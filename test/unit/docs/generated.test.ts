import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alignTable } from '../../../scripts/docs/align-table.ts';
import { COMMANDS } from '../../../scripts/docs/commands.ts';
import { fillIn } from '../../../scripts/docs/fill-in.ts';
import { PARTS } from '../../../scripts/docs/parts.ts';
import { actionsText } from '../../../src/cli/command.ts';
import { OPTION_KEYS, optionOf } from '../../../src/config/options.ts';
import { ERROR_KINDS } from '../../../src/domain/errors.ts';
import { exitCodes } from '../../../src/domain/exit-codes.ts';
import { readDocument, readDocuments } from '../../support/docs/markdown.ts';

const documents = await readDocuments();

describe('generated parts', () => {
  test.each(documents)('of $path are what the code says (else: npm run docs)', ({ text }) => {
    expect(text).toBe(fillIn(text, PARTS));
  });

  test.each([
    ['docs/commands.md', ['commands']],
    ['docs/options.md', ['options']],
    ['docs/exit-codes.md', ['exit-codes']],
    ['docs/signals.md', ['signals', 'signal-actions']],
    ['docs/decisions/README.md', ['decisions']],
    ['docs/errors.md', ['errors']],
    ['docs/events.md', ['events']],
    ['docs/how-it-works.md', ['skip-reasons', 'job-states']],
  ])('%s has the tables that belong there', (path, names) => {
    const found = [...readDocument(path).text.matchAll(/<!-- generated: ([\w-]+) -->/g)].map(
      ([, name]) => name,
    );
    expect(found).toEqual(names);
  });

  test('nothing that the code knows is missing in the tables', () => {
    const text = (name: string): string => readDocument(`docs/${name}.md`).text;
    for (const command of COMMANDS) {
      const said = `${command.name} ${actionsText(command).replaceAll('|', '\\|')}`.trim();
      expect(text('commands')).toContain(`| \`${said}\` `);
    }
    for (const key of OPTION_KEYS) expect(text('options')).toContain(`| \`${optionOf(key).env}\` `);
    for (const { exit, meaning } of exitCodes())
      expect(text('exit-codes')).toMatch(row(String(exit), meaning));
    for (const code of Object.keys(ERROR_KINDS)) expect(text('errors')).toContain(`| \`${code}\` `);
  });
});

function row(...cells: readonly string[]): RegExp {
  const escaped = cells.map((cell) => cell.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^\\| ${escaped.join(' +\\| ')} +\\|$`, 'm');
}

describe('fillIn', () => {
  const parts = new Map([
    ['a', () => 'new A'],
    ['b', () => 'new B'],
  ]);

  test('renders each part again and leaves the rest as it is', () => {
    const before =
      'x\n\n<!-- generated: a -->\n<!-- /generated -->\n\ny\n<!-- generated: b -->\n\nold\n\n<!-- /generated -->\nz\n';
    const after =
      'x\n\n<!-- generated: a -->\n\nnew A\n\n<!-- /generated -->\n\ny\n<!-- generated: b -->\n\nnew B\n\n<!-- /generated -->\nz\n';
    expect(fillIn(before, parts)).toBe(after);
    expect(fillIn(after, parts)).toBe(after);
  });

  test.each([
    ['a part that nobody makes', '<!-- generated: c -->\n<!-- /generated -->\n'],
    ['a part without an end', '<!-- generated: a -->\n\nold\n'],
    ['a part that begins in another', '<!-- generated: a -->\n<!-- generated: b -->\n<!-- /generated -->\n'],
    ['a name that is none', '<!-- generated: A B -->\n<!-- /generated -->\n'],
  ])('refuses %s', (_, document) => {
    expect(() => fillIn(document, parts)).toThrow(/generate/);
  });
});

describe('alignTable', () => {
  test('pads every column to its widest cell', () => {
    expect(alignTable('| a | b |\n| --- | --- |\n| x \\| y |  |\n|| long one |')).toBe(
      '| a      | b        |\n| ------ | -------- |\n| x \\| y |          |\n|        | long one |',
    );
  });

  test('leaves an aligned table as it is', () => {
    const cell = fc.stringMatching(/^[a-z `.]{0,12}$/).map((text) => text.trim());
    const rows = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, (cells) => {
        const lines = cells.map((row) => `| ${row.join(' | ')} |`);
        const aligned = alignTable(['| one | two |', '| --- | --- |', ...lines].join('\n'));
        expect(alignTable(aligned)).toBe(aligned);
        expect(new Set(aligned.split('\n').map(({ length }) => length)).size).toBe(1);
      }),
    );
  });
});
