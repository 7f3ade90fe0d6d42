import type { CliCommand } from '../../../src/cli/command.ts';
import { commandsOf } from '../../../src/cli/commands.ts';
import type { Prompts } from '../../../src/cli/prompts/prompts.ts';
import { runCli } from '../../../src/cli/run.ts';
import { runDaemon } from '../../../src/daemon/run-daemon.ts';
import { Redactor } from '../../../src/lib/redactor.ts';

/** What a command line wrote and ended with. */
export type Ran = { readonly exit: number; readonly stdout: string; readonly stderr: string };

/** Runs a command line in this process, without a terminal unless `prompts` is given, with nothing but `env` around it. */
export async function runLine(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  commands: readonly CliCommand[] = commandsOf((parts) => runDaemon({ ...parts, systemdNotify: undefined })),
  {
    confirm = async () => undefined,
    input = '',
    prompts,
  }: {
    readonly confirm?: (question: string) => Promise<boolean | undefined>;
    readonly input?: string;
    readonly prompts?: Prompts;
  } = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const writer = (stream: keyof typeof written) => ({
    write: (text: string) => void (written[stream] += text),
    isTerminal: false,
    colour: false,
    columns: 100,
  });
  const exit = await runCli(
    {
      argv,
      env,
      stdout: writer('stdout'),
      stderr: writer('stderr'),
      redactor: new Redactor(),
      uid: 0,
      version: '1.2.3',
      confirm,
      prompts: async () => prompts,
      readInput: async () => input,
    },
    commands,
  );
  return { exit, ...written };
}
