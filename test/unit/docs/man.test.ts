import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../scripts/docs/commands.ts';
import { manPage } from '../../../scripts/man/page.ts';
import { bold, escaped } from '../../../scripts/man/roff.ts';
import { actionsText } from '../../../src/cli/command.ts';
import { maySet } from '../../../src/config/option.ts';
import { OPTION_KEYS, optionOf } from '../../../src/config/options.ts';
import { exitCodes } from '../../../src/domain/exit-codes.ts';

const run = promisify(execFile);
const groff = await run('groff', ['--version']).then(
  () => true,
  () => false,
);

describe('the man page', () => {
  const page = manPage();

  test('has every command, option, variable and exit code', () => {
    for (const command of COMMANDS) {
      expect(page).toContain(`.TP\n${bold(`${command.name} ${actionsText(command)}`.trim())}\n`);
      for (const flag of [...command.switches, ...command.values])
        expect(page).toContain(escaped(`--${flag.name}`));
    }
    for (const key of OPTION_KEYS) {
      const option = optionOf(key);
      expect(page).toContain(escaped(option.env));
      if (maySet(option, 'flag')) expect(page).toContain(`${bold(`--${option.name}`)} `);
    }
    for (const { exit, meaning } of exitCodes())
      expect(page).toContain(`${bold(String(exit))}\n${escaped(meaning)}`);
  });

  test('lets no text be an instruction', () => {
    expect(escaped(".so /etc/passwd\n'br\na\\b - c")).toBe("\\&.so /etc/passwd\n\\&'br\na\\eb \\- c");
    const instructions = page.split('\n').filter((line) => /^[.']/.test(line));
    expect(instructions.filter((line) => !/^\.(?:TH|SH|SS|TP|br|\\")/.test(line))).toEqual([]);
  });

  test.skipIf(!groff)('is roff that groff has nothing to say about (needs groff)', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'man-'));
    try {
      await writeFile(join(directory, 'page'), page);
      const { stderr, stdout } = await run('groff', [
        '-man',
        '-Kutf8',
        '-Tutf8',
        '-P-cbou',
        '-ww',
        join(directory, 'page'),
      ]);
      expect(stderr).toBe('');
      expect(stdout).toContain('--ask-price');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
