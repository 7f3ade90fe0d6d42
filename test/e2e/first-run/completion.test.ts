import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../scripts/docs/commands.ts';
import { completionScript } from '../../../src/cli/completion/command.ts';
import { DRIVER_GPUS } from '../../../src/cli/completion/words.ts';
import { OnTerminal } from '../../support/cli/on-terminal.ts';

/* The completion in the real shells. */

const UUID = 'GPU-0a1b2c3d-0000-4000-8000-000000000000';

/** The script of a shell, for a host with one GPU that a directory has in place of the driver. */
async function scriptOf(shell: string) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'completion-'));
  const gpus = join(directory.path, 'gpus');
  mkdirSync(join(gpus, '0000:01:00.0'), { recursive: true });
  writeFileSync(join(gpus, '0000:01:00.0/information'), `Model: \t\t Tesla T4\nGPU UUID: \t ${UUID}\n`);
  writeFileSync(join(directory.path, 'a file'), '');
  const path = join(directory.path, shell === 'zsh' ? '_sharedcloud-agent' : `script.${shell}`);
  writeFileSync(path, completionScript(shell, COMMANDS).replaceAll(DRIVER_GPUS, gpus));
  return { directory: directory.path, path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

/** What was written so far, the last word last; and what the shell offers for it. */
const CASES: readonly (readonly [line: string, some: readonly string[], others: readonly string[]])[] = [
  ['sta', ['start', 'status'], ['setup', 'drain']],
  ['', ['start', 'completion'], []],
  ['network ', ['up', 'keep', 'down', 'log', 'status'], ['--json']],
  ['start --job-n', ['--job-network'], ['--json', '--yes']],
  ['start --job-network ', ['isolated', 'none', 'bridge'], ['--once']],
  ['pause --unt', ['--until', '--until-next'], ['--port']],
  ['reclaim ', ['0', UUID, 'cpu', 'all'], ['auto', '1']],
  ['mode 0 ', ['auto', 'on', 'off'], []],
  ['completion ', ['bash', 'zsh', 'fish'], []],
];

function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`]);
    return true;
  } catch {
    return false;
  }
}

const LIST: Readonly<Record<string, (path: string, line: string) => readonly string[]>> = {
  bash: (path, line) => [
    '-c',
    `set -u; . '${path}'; IFS=' ' COMP_WORDS=(sharedcloud-agent ${line.replace(/ $/, " ''")}); ` +
      `${line === '' ? "COMP_WORDS+=('');" : ''} COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _sharedcloud_agent; ` +
      'unset IFS; printf "%s\\n" "${COMPREPLY[@]}"',
  ],
  fish: (path, line) => ['--no-config', '-c', `source '${path}'; complete -C 'sharedcloud-agent ${line}'`],
};

describe.each(['bash', 'fish'])('%s', (shell) => {
  test.skipIf(!hasProgram(shell))(
    'completes commands, actions, flags, values and GPUs (needs the shell)',
    async () => {
      await using script = await scriptOf(shell);
      for (const [line, some, others] of CASES) {
        const offered = execFileSync(shell, [...(LIST[shell]?.(script.path, line) ?? [])], {
          cwd: script.directory,
          encoding: 'utf8',
        });
        const words = offered.split('\n').map((one) => one.split('\t')[0] ?? '');
        expect({ line, missing: some.filter((word) => !words.includes(word)) }).toEqual({
          line,
          missing: [],
        });
        expect({ line, wrong: others.filter((word) => words.includes(word)) }).toEqual({ line, wrong: [] });
      }
    },
  );

  test.skipIf(!hasProgram(shell))('completes files for flags with a path (needs the shell)', async () => {
    await using script = await scriptOf(shell);
    const argv = LIST[shell]?.(script.path, 'start --config a') ?? [];
    expect(execFileSync(shell, [...argv], { cwd: script.directory, encoding: 'utf8' })).toMatch(
      /^a\\? file$/m,
    );
  });
});

describe('zsh', () => {
  test.skipIf(!hasProgram('zsh'))('completes on a terminal (needs the shell)', async () => {
    await using script = await scriptOf('zsh');
    await using terminal = new OnTerminal(
      [],
      { HOME: script.directory },
      { line: 'zsh -f -i', columns: 120 },
    );
    terminal.type(
      `PS1='ready> '; fpath=(${script.directory} $fpath); autoload -U compinit; compinit -u -D\r`,
    );
    await terminal.until('ready> ');
    for (const [typed, completed] of [
      ['comp\t', 'completion '],
      ['network k\t', 'network keep '],
      ['start --job-netw\t', 'start --job-network '],
      ['start --job-network iso\t', 'isolated '],
      ['reclaim GPU-\t', UUID],
      ['mode 0 au\t', 'auto '],
    ] as const) {
      terminal.type(`sharedcloud-agent ${typed}`);
      await terminal.until(completed);
      // Throws the line away.
      terminal.type('\u0015');
    }
    terminal.type('exit\r');
    expect(await terminal.ended).toBe(0);
  });
});
