import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { OPTIONS as SIMULATOR_OPTIONS } from '../../../bench/simulator/options.ts';
import { COMMANDS } from '../../../scripts/docs/commands.ts';
import { ROOT } from '../../../scripts/docs/documents.ts';
import { OPTION_KEYS, optionOf } from '../../../src/config/options.ts';
import { ERROR_KINDS } from '../../../src/domain/errors.ts';
import { readDocuments, withoutComments } from '../../support/docs/markdown.ts';

/* What a document names must be there, under that name. */

const documents = await readDocuments();
const owners = documents.filter(({ path }) => path === 'README.md' || path.startsWith('docs/'));

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));

const FLAGS: ReadonlySet<string> = new Set([
  ...OPTION_KEYS.map((key) => optionOf(key).name),
  ...COMMANDS.flatMap(({ switches, values }) => [...switches, ...values].map(({ name }) => name)),
  ...Object.keys(SIMULATOR_OPTIONS),
  'help',
  'version',
]);

/** Flags of docker, dockerd, nvidia-ctk, runsc and systemctl, which the documents use too. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  'advertise-addr',
  'availability',
  'cap-add',
  'cap-drop',
  'check',
  'diff',
  'gpus',
  'gres',
  'group-add',
  'init',
  'label-add',
  'label-rm',
  'memory',
  'name',
  'network',
  'no-healthcheck',
  'no-trunc',
  'now',
  'nvproxy',
  'pretty',
  'read-only',
  'resolve-image',
  'restart',
  'runtime',
  'security-opt',
  'set-as-default',
  'tlsverify',
  'unix-socket',
  'user',
  'with-registry-auth',
]);

/** Variables that are no options: of the tests' engine, of a job, of a program that is notified. */
const VARIABLES: ReadonlySet<string> = new Set([
  ...OPTION_KEYS.map((key) => optionOf(key).env),
  'SHAREDCLOUD_ENGINE_DIR',
  'SHAREDCLOUD_ENGINE_SUITE',
  'SHAREDCLOUD_INPUT',
  'SHAREDCLOUD_NOTIFY_ID',
  'SHAREDCLOUD_NOTIFY_TEXT',
  'SHAREDCLOUD_NOTIFY_TITLE',
]);

/** Where absolute paths may begin: on every Linux, in the broker's API, in a container. */
const ROOTS: ReadonlySet<string> = new Set([
  'api',
  'dev',
  'etc',
  'healthz',
  'metrics',
  'proc',
  'run',
  'session',
  'sharedcloud',
  'tmp',
  'usr',
  'var',
]);

/** All that `pattern` finds and its first group holds, once each. */
function found(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...withoutComments(text).matchAll(pattern)].map(([, name]) => name ?? ''))];
}

const files = (text: string): readonly string[] =>
  found(text, /(?<![\w./-])((?:src|test|docs|scripts|bin|bench|systemd|\.ci)\/[\w./-]*\w)/g);
const runs = (text: string): readonly string[] => found(text, /\bnpm run (?:-s )?([\w:-]+)/g);
const commands = (text: string): readonly string[] => found(text, /\bagent -- ([a-z][\w-]*)/g);
const flags = (text: string): readonly string[] => found(text, /(?<![\w-])--([a-z][a-z-]*)/g);
const variables = (text: string): readonly string[] => found(text, /\b(SHAREDCLOUD_[A-Z_]+)\b/g);
const errors = (text: string): readonly string[] =>
  found(text, /`((?:CONFIG|TOKEN|BROKER|RUNTIME|CONTAINER|IMAGE|GPU|STATE|JOURNAL|FUNCTION)_[A-Z_]+)`/g);
const roots = (text: string): readonly string[] => found(text, /(?<![\w.~:*)/>-])\/([a-z][\w-]*)/g);

describe.each(documents)('$path', ({ text }) => {
  test('names files that exist', () => {
    const named = files(text).filter((path) => !/\/[A-Z]{4}$/.test(path));
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('names scripts of package.json and commands that exist', () => {
    expect(runs(text).filter((name) => scripts[name] === undefined)).toEqual([]);
    expect(commands(text).filter((name) => COMMANDS.every((command) => command.name !== name))).toEqual([]);
  });

  test('names variables and errors that exist', () => {
    expect(variables(text).filter((name) => !VARIABLES.has(name))).toEqual([]);
    // A variable may look like an error.
    const known = (code: string): boolean => Object.hasOwn(ERROR_KINDS, code) || VARIABLES.has(code);
    expect(errors(text).filter((code) => !known(code))).toEqual([]);
  });

  test('names no path of one machine', () => {
    expect(roots(text).filter((name) => !ROOTS.has(name))).toEqual([]);
  });
});

describe('what owners read', () => {
  test.each(owners)('$path names flags that exist', ({ text }) => {
    expect(flags(text).filter((name) => !FLAGS.has(name) && !OF_OTHERS.has(name))).toEqual([]);
  });

  test('has every npm script for people in CONTRIBUTING.md or the README', () => {
    const named = new Set(
      documents.flatMap(({ text }) => [...runs(text), ...(/\bnpm test\b/.test(text) ? ['test'] : [])]),
    );
    // npm runs these itself.
    const parts = (name: string): boolean =>
      name.includes(':') || name.startsWith('pre') || name === 'version';
    expect(Object.keys(scripts).filter((name) => !parts(name) && !named.has(name))).toEqual([]);
  });
});

test('the checks see names of each kind', () => {
  const text =
    'see `src/cli/run.ts`, run `npm run -s agent -- start --once` with SHAREDCLOUD_ASK_PRICE, or npm run docs; `GPU_NONE` /home/me';
  expect(files(text)).toEqual(['src/cli/run.ts']);
  expect(runs(text)).toEqual(['agent', 'docs']);
  expect(commands(text)).toEqual(['start']);
  expect(flags(text)).toEqual(['once']);
  expect(variables(text)).toEqual(['SHAREDCLOUD_ASK_PRICE']);
  expect(errors(text)).toEqual(['GPU_NONE']);
  expect(roots(text)).toEqual(['home']);
});
