import { userInfo } from 'node:os';
import { loadConfig } from '../config/load.ts';
import { OPTIONS } from '../config/options.ts';
import { configInvalid } from '../config/problem.ts';
import { BadValue } from '../config/value-type.ts';
import { systemClock } from '../lib/clock.ts';
import { escapeControls } from '../lib/escape.ts';
import { createLog } from '../lib/log.ts';
import { proxySecrets } from '../lib/proxy-url.ts';
import type { Redactor } from '../lib/redactor.ts';
import { urlSecrets } from '../lib/secret-url.ts';
import type { CliCommand, CliContext, Stream, ValueFlag, Writer } from './command.ts';
import { type Request, readCommandLine } from './command-line.ts';
import { readConfigText } from './config-text.ts';
import { failure } from './failure.ts';
import type { OpenPrompts } from './prompts/open.ts';

const MIN_PROXY_SECRET = 6;

/** The outside world, as main.ts passes it in. */
export type Outside = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Redacts the tokens that commands read from all output. */
  readonly redactor: Redactor;
  readonly uid: number;
  readonly version: string;
  /** Asks on the terminal; undefined where nobody can answer. */
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  /** Opens a conversation on the terminal; undefined where nobody can answer. */
  readonly prompts: OpenPrompts;
  /** Reads what is piped in, of at most so many bytes; undefined: there is more. */
  readonly readInput: CliContext['readInput'];
};

/** Runs the command line and returns the exit code. Never throws; errors are printed. */
export async function runCli(outside: Outside, commands: readonly CliCommand[]): Promise<number> {
  const { redactor } = outside;
  redactor.add((outside.env[OPTIONS.token.env] ?? '').trim());
  const stdout = redacting(outside.stdout, redactor);
  const stderr = redacting(outside.stderr, redactor);
  try {
    const request = readCommandLine(outside.argv, commands, outside.version);
    if (request.kind === 'command')
      return await request.command.run(contextOf({ ...outside, stdout, stderr }, request));
    (request.kind === 'text' ? stdout : stderr).write(request.text);
    return request.kind === 'text' ? 0 : 2;
  } catch (thrown) {
    const { text, exit } = failure(thrown, { json: outside.argv.includes('--json'), stderr });
    stderr.write(text);
    return exit;
  }
}

function contextOf(
  outside: Outside & Pick<CliContext, 'stdout' | 'stderr'>,
  request: Extract<Request, { kind: 'command' }>,
): CliContext {
  const { env, redactor, stderr, stdout, uid, version } = outside;
  return {
    stdout,
    stderr,
    action: request.action,
    argument: request.argument,
    operands: request.operands,
    caller: callerOf(env),
    confirm: outside.confirm,
    prompts: outside.prompts,
    readInput: outside.readInput,
    has: (flag) => request.flags[flag.name] !== undefined,
    valueOf: (flag) => readFlag(flag, request.flags[flag.name]),
    loadConfig: async (needs) => {
      const readFile = (path: string) => readConfigText(path, uid);
      const loaded = await loadConfig({ flags: request.options, env, readFile }, needs);
      // A shorter one would be found in ordinary words; proxies are shown without credentials anyway.
      for (const proxy of [loaded.config.httpsProxy, loaded.config.httpProxy])
        for (const secret of proxySecrets(proxy ?? ''))
          if (secret.length >= MIN_PROXY_SECRET) redactor.add(secret);
      for (const url of [loaded.config.notifyWebhook, loaded.config.notifyNtfy])
        for (const secret of urlSecrets(url ?? '')) redactor.add(secret);
      const printed = needs.ownWarnings || outside.argv.includes('--json') ? [] : loaded.warnings;
      for (const warning of printed) stderr.write(`warning: ${escapeControls(warning)}\n`);
      return loaded;
    },
    createLog: ({ logLevel, logFormat }) =>
      createLog({
        level: logLevel,
        format: logFormat === 'auto' ? (stderr.isTerminal ? 'pretty' : 'json') : logFormat,
        colour: stderr.colour,
        columns: stderr.columns,
        destination: stderr,
        redactor,
      }),
    redactor,
    desktop: desktopOf(outside),
    clock: systemClock,
    uid,
    version,
    path: env['PATH'] ?? '',
  };
}

/** Root has no browser of its own, and one that it starts belongs to nobody who sits there. */
function desktopOf({ env, uid }: Outside): string | undefined {
  const isThere = [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((name) => (name ?? '') !== '');
  return isThere && uid !== 0 ? env['HOME'] : undefined;
}

/** Who runs this: through sudo the one who called it. */
function callerOf(env: Outside['env']): string {
  const name = env['SUDO_USER'] ?? env['USER'] ?? env['LOGNAME'];
  if (name !== undefined && name !== '') return name;
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without a name.
    return `uid ${process.getuid?.() ?? 0}`;
  }
}

function readFlag<T>(flag: ValueFlag<T>, written: readonly string[] | true | undefined): T {
  try {
    return flag.type.read(written === undefined || written === true ? [flag.default] : written);
  } catch (cause) {
    if (!(cause instanceof BadValue)) throw cause;
    throw configInvalid([{ where: `--${flag.name}`, what: cause.message, hint: cause.hint }]);
  }
}

/** The stream without the redactor's secrets. */
export function redacting(stream: Stream, redactor: Redactor): Writer {
  const redact = (text: string): string => redactor.text(text);
  return { ...stream, redact, write: (text) => stream.write(redact(text)) };
}
