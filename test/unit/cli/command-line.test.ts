import { describe, expect, test } from 'vitest';
import { type CliCommand, type CliContext, JSON_SWITCH, type ValueFlag } from '../../../src/cli/command.ts';
import { failure } from '../../../src/cli/failure.ts';
import { count } from '../../../src/config/number-types.ts';
import { OPTION_KEYS } from '../../../src/config/options.ts';
import { AgentError, ERROR_KINDS } from '../../../src/domain/errors.ts';
import { exitCodes } from '../../../src/domain/exit-codes.ts';
import { aPage } from '../../support/cli/page.ts';
import { runLine } from '../../support/cli/run.ts';

const TIMES: ValueFlag<number> = { name: 'times', help: 'how often', type: count(1, 9), default: '3' };
const TOKEN = '8c1f0d2e7b6a5948';

/** A command that takes every option and does what the test says. */
function command(run: (context: CliContext) => Promise<number> | number): readonly CliCommand[] {
  return [
    {
      name: 'try',
      summary: 'tries it',
      group: 'Run',
      options: OPTION_KEYS,
      switches: [JSON_SWITCH],
      values: [TIMES],
      examples: [{ line: 'try --times 2', does: 'tries twice' }],
      run: async (context) => await run(context),
    },
  ];
}

const nothing = command(() => 0);

describe('the context of a command', () => {
  test('has options, lists, switches and values', async () => {
    const commands = command(async (context) => {
      const { config, sources } = await context.loadConfig({ ask: true });
      const { askPrice, images, slotsPerGpu } = config;
      const { kind } = sources.slotsPerGpu;
      const shown = {
        askPrice,
        images,
        slotsPerGpu,
        kind,
        json: context.has(JSON_SWITCH),
        times: context.valueOf(TIMES),
      };
      context.stdout.write(JSON.stringify(shown));
      return 6;
    });
    const line = 'try --ask-price 2 --images a,b --images c --json --times 7'.split(' ');
    const { exit, stdout } = await runLine(line, { SHAREDCLOUD_SLOTS_PER_GPU: '4' }, commands);
    expect(exit).toBe(6);
    expect(JSON.parse(stdout)).toEqual({
      askPrice: 2,
      images: ['a', 'b', 'c'],
      slotsPerGpu: 4,
      kind: 'env',
      json: true,
      times: 7,
    });
  });

  test('has the defaults of its own flags', async () => {
    const commands = command((context) => (context.has(JSON_SWITCH) ? 9 : context.valueOf(TIMES)));
    expect((await runLine(['try'], {}, commands)).exit).toBe(3);
  });

  test('has a log on stderr, as JSON without a terminal unless pretty is wanted', async () => {
    const commands = command(async (context) => {
      context.createLog((await context.loadConfig({ ask: false })).config).info({ event: 'x' }, 'hello');
      return 0;
    });
    expect((await runLine(['try'], {}, commands)).stderr).toMatch(/^\{"level":"info".*"msg":"hello"\}\n$/);
    const pretty = await runLine(['try', '--log-format', 'pretty'], {}, commands);
    expect(pretty.stderr).toMatch(/^\d\d:\d\d:\d\d INFO {2}hello\n$/);
    expect((await runLine(['try', '--log-level', 'warn'], {}, commands)).stderr).toBe('');
  });

  test('a negative number is a value, not a flag', async () => {
    const commands = command(async (context) => (await context.loadConfig({ ask: true })) && 0);
    const { exit, stderr } = await runLine(['try', '--ask-price', '-1'], {}, commands);
    expect(exit).toBe(2);
    expect(stderr).toContain('--ask-price: "-1"');
  });
});

describe('an invalid command line', () => {
  test.each([
    [['tyr'], "unknown command 'tyr' (Did you mean try?)"],
    [['try', '--ask-prize', '1'], "unknown option '--ask-prize' (Did you mean --ask-price?)"],
    [['try', '--ask-price'], "option '--ask-price <DOLLARS>' argument missing"],
    [['try', 'more'], "too many arguments for 'try'"],
    [['--nonsense'], "unknown option '--nonsense'"],
    [['try', '--times', '10'], '--times: "10" is more than 9'],
    [['try', '--ask-price', '1', '--ask-price', '2'], '--ask-price: takes one value and was given 2'],
    [['try', '--times', '1', '--times', '2'], '--times: takes one value and was given 2'],
    [['try', '--token', 'x'], 'there is no flag for the token'],
    [['try', '--token=x'], 'there is no flag for the token'],
  ])('%j: %s', async (argv, message) => {
    const { exit, stdout, stderr } = await runLine(
      argv,
      {},
      command(async (context) => (await context.loadConfig({ ask: false })) && context.valueOf(TIMES)),
    );
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error CONFIG_INVALID: ${message}`);
    expect(stderr).toContain('\n  hint: ');
  });

  test.each([[['network']], [['network', 'sideways']]])('%j: names the actions', async (argv) => {
    const { exit, stderr } = await runLine(argv);
    expect(exit).toBe(2);
    expect(stderr).toContain('network needs one of up, keep, down, log, status');
  });

  test('without a command the help is printed as an error', async () => {
    const { exit, stdout, stderr } = await runLine([], {}, nothing);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Usage: sharedcloud-agent/);
  });
});

describe('a warning about the configuration', () => {
  const env = { SHAREDCLOUD_ASK_PRISE: '1' };
  const loading = (ownWarnings: boolean) =>
    command(async (context) => {
      await context.loadConfig({ ask: false, ...(ownWarnings && { ownWarnings }) });
      return 0;
    });

  test('is printed on stderr', async () => {
    const { exit, stdout, stderr } = await runLine(['try'], env, loading(false));
    expect([exit, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/^warning: .*SHAREDCLOUD_ASK_PRISE.*\n$/);
  });

  test('is not printed by a command that shows it in its own way, nor among JSON', async () => {
    expect((await runLine(['try'], env, loading(true))).stderr).toBe('');
    expect((await runLine(['try', '--json'], env, loading(false))).stderr).toBe('');
  });
});

describe('help and version', () => {
  test.each([['--help'], ['-h'], ['help'], ['try', '--help'], ['help', 'try']])('%s %s', async (...argv) => {
    const { exit, stdout, stderr } = await runLine(argv, {}, nothing);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: sharedcloud-agent/);
  });

  test('the version', async () => {
    expect(await runLine(['--version'], {}, nothing)).toEqual({ exit: 0, stdout: '1.2.3\n', stderr: '' });
  });
});

describe('an error that ends a command', () => {
  const failing = (error: Error) =>
    command(() => {
      throw error;
    });

  test('is printed with its hint, and decides the exit code', async () => {
    const error = new AgentError('GPU_NONE', 'no GPU here', { hint: 'plug one in' });
    expect(await runLine(['try'], {}, failing(error))).toEqual({
      exit: 6,
      stdout: '',
      stderr: 'error GPU_NONE: no GPU here\n  hint: plug one in\n',
    });
  });

  test('is JSON with --json', async () => {
    const error = new AgentError('GPU_NONE', 'no GPU here', { hint: 'plug one in' });
    const { stderr } = await runLine(['try', '--json'], {}, failing(error));
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'GPU_NONE', message: 'no GPU here', hint: 'plug one in', exit: 6 },
    });
  });

  test('is broken into lines on a terminal, without a part of a secret', () => {
    const terminal = { isTerminal: true, colour: false, write: () => undefined, ...aPage(40, TOKEN) };
    const error = new AgentError('GPU_NONE', `${'x'.repeat(20)}${TOKEN}${'y'.repeat(60)}`, {
      hint: 'z '.repeat(60),
    });
    const { text } = failure(error, { json: false, stderr: terminal });
    expect(text.split('\n').filter(({ length }) => length > 40)).toEqual([]);
    expect(text).not.toMatch(/8c1f|5948/);
  });

  test('that is a defect is printed with its stack', async () => {
    const { exit, stderr } = await runLine(['try'], {}, failing(new TypeError('x is undefined')));
    expect(exit).toBe(1);
    expect(stderr).toMatch(/^error INTERNAL: x is undefined\n {2}hint: .*report/);
    expect(stderr).toMatch(/command-line\.test\.ts:\d+/);
  });

  test('cannot control the terminal', async () => {
    const { stderr } = await runLine(['try'], {}, failing(new AgentError('GPU_NONE', '\u001b[2J')));
    expect(stderr).toMatch(/^error GPU_NONE: \\u\{1b\}\[2J\n {2}hint: /);
  });
});

describe('the token', () => {
  const env = { SHAREDCLOUD_TOKEN: TOKEN };

  test('is in no output', async () => {
    const commands = command(async (context) => {
      const { config } = await context.loadConfig({ ask: false });
      context.createLog(config).info({ event: 'x', at: `Token ${TOKEN}` }, 'hello');
      context.stdout.write(`out ${TOKEN} ${JSON.stringify(config)}\n`);
      throw new AgentError('BROKER_REFUSED', `sent ${TOKEN}`);
    });
    const { exit, stdout, stderr } = await runLine(['try'], env, commands);
    expect(exit).toBe(4);
    expect(stdout + stderr).not.toContain(TOKEN);
    expect(stdout).toMatch(/^out \[redacted\] /);
    expect(stderr).toContain('error BROKER_REFUSED: sent [redacted]');
  });

  test.each([TOKEN, `--token=${TOKEN}`])('is not in an error about the argument %s', async (argument) => {
    const { exit, stderr } = await runLine(['try', argument], env, nothing);
    expect(exit).toBe(2);
    expect(stderr).not.toContain(TOKEN);
  });

  test('is not in an error about a flag for it, which does not exist', async () => {
    const { stderr } = await runLine(['try', `--token=${TOKEN}`], {}, nothing);
    expect(stderr).not.toContain(TOKEN);
  });
});

test('every error has a documented exit code, and every code is documented once', () => {
  const codes = exitCodes();
  expect(codes.flatMap(({ errors }) => errors).sort()).toEqual(Object.keys(ERROR_KINDS).sort());
  expect(codes.map(({ exit }) => exit)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
