import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import { z } from 'zod';
import type { Stream } from './cli/command.ts';
import { commandsOf } from './cli/commands.ts';
import { failure } from './cli/failure.ts';
import { promptsOn, readPiped } from './cli/prompts/open.ts';
import { redacting, runCli } from './cli/run.ts';
import { runDaemon } from './daemon/run-daemon.ts';
import { systemdNotifyAddress } from './daemon/systemd-notify.ts';
import { EXIT } from './domain/exit-codes.ts';
import { MAX_COLUMNS } from './lib/log.ts';
import { Redactor } from './lib/redactor.ts';

/*
 * argv -> command -> exit code. Nothing else touches process.env or ends the process. No top-level await: the
 * launcher loads this file with require().
 */

function streamOf(
  stream: NodeJS.WriteStream & { readonly fd: number },
  onFailure: (error: Error) => void,
): Stream {
  // The reader may close the pipe at any time, as `| head` does. That is no error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') onFailure(error);
  });
  const isTerminal = isatty(stream.fd);
  return {
    write: (text) => void stream.write(text),
    isTerminal,
    colour: isTerminal && stream.hasColors(),
    columns: (isTerminal && stream.columns) || MAX_COLUMNS,
  };
}

const packageFile = new URL('../package.json', import.meta.url);
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(packageFile, 'utf8')));
let writeError: Error | undefined;
const stdout = streamOf(process.stdout, (error) => (writeError = error));
// An error of stderr cannot be reported anywhere.
const stderr = streamOf(process.stderr, () => undefined);
const argv = process.argv.slice(2);
const redactor = new Redactor();

process.on('uncaughtException', (thrown) => {
  const output = redacting(stderr, redactor);
  const { text, exit } = failure(thrown, { json: argv.includes('--json'), stderr: output });
  output.write(text);
  process.exit(exit);
});

const env = { ...process.env };
// dockerode reads these by itself, past the configuration, and fails at a certificate that is not there.
for (const name of ['HOST', 'TLS_VERIFY', 'CERT_PATH', 'PATH_PREFIX', 'CLIENT_TIMEOUT'])
  Reflect.deleteProperty(process.env, `DOCKER_${name}`);

const uid = process.getuid?.() ?? 0;
const systemdNotify = systemdNotifyAddress(env, process.pid);
const commands = commandsOf((parts) => runDaemon({ ...parts, systemdNotify }));
const prompts = promptsOn({ input: () => process.stdin, output: process.stderr, env, redactor });
const readInput = (maxBytes: number) => readPiped(process.stdin, maxBytes);
const outside = { argv, env, stdout, stderr, redactor, uid, version, confirm, prompts, readInput };
void runCli(outside, commands).then((exit) =>
  // Exiting before a pipe has taken the last of a long output would cut it off; a stream reports errors after that.
  process.stdout.write('', () => setImmediate(() => process.exit(exitCode(exit)))),
);

/** Asks for a yes on the terminal; no more than that word is taken for it. */
async function confirm(question: string): Promise<boolean | undefined> {
  if (!isatty(process.stdin.fd) || !stderr.isTerminal) return undefined;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once('close', () => resolve(''));
      lines.question(`${question} [y/N] `, resolve);
    });
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

function exitCode(exit: number): number {
  if (writeError === undefined) return exit;
  stderr.write(`error: the output could not be written: ${writeError.message}\n`);
  return exit === EXIT.OK ? EXIT.FAILED : exit;
}
