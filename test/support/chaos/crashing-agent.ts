/*
 * `start --once`, as the product builds it, but for a wrapper around what the agent works with: at the step that
 * CRASH_AT names, the process kills itself as `kill -9` would. A step is `before` or `after` a call, such as
 * `before broker.claim`, `after journal.move claimed`.
 */
import { type Ports } from '../../../src/app.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { runCli } from '../../../src/cli/run.ts';
import { startWith } from '../../../src/cli/start.ts';
import { Redactor } from '../../../src/lib/redactor.ts';

const crashAt = process.env['CRASH_AT'] ?? '';

function crashIf(step: string): void {
  if (step !== crashAt) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal takes effect before anything else runs; should it not, the step must not be passed all the same.
  for (;;);
}

/** Calls of a port, with a possible crash before and after each. */
function crashing<Port extends object>(name: string, port: Port): Port {
  return new Proxy(port, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]): unknown => {
        const step = `${name}.${String(property)}${property === 'move' ? detailOf(args) : ''}`;
        crashIf(`before ${step}`);
        const answer: unknown = Reflect.apply(member, target, args);
        if (!(answer instanceof Promise)) {
          crashIf(`after ${step}`);
          return answer;
        }
        return answer.then((value: unknown) => {
          crashIf(`after ${step}`);
          return value;
        });
      };
    },
  });
}

/** The state's name, where a job is moved to one. */
function detailOf(args: readonly unknown[]): string {
  const state = args[1];
  return typeof state === 'object' && state !== null && 'name' in state ? ` ${String(state.name)}` : '';
}

const between = (ports: Ports): Ports => ({
  broker: crashing('broker', ports.broker),
  runtime: crashing('runtime', ports.runtime),
  files: crashing('files', ports.files),
  journal: crashing('journal', ports.journal),
});

const stream = (to: NodeJS.WriteStream) => ({
  write: (text: string): void => void to.write(text),
  isTerminal: false,
  colour: false,
});

const outside = {
  argv: process.argv.slice(2),
  env: process.env,
  stdout: stream(process.stdout),
  stderr: stream(process.stderr),
  uid: process.getuid?.() ?? 0,
  version: 'test',
  redactor: new Redactor(),
};

const commands = COMMANDS.map((command) => (command.name === 'start' ? startWith({ between }) : command));
process.exitCode = await runCli(outside, commands);
