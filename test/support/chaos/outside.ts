import type { Outside } from '../../../src/cli/run.ts';
import { Redactor } from '../../../src/lib/redactor.ts';

const stream = (to: NodeJS.WriteStream) => ({
  write: (text: string): void => void to.write(text),
  isTerminal: false,
  colour: false,
  columns: 100,
});

/** What `main.ts` hands to the command line, for entries of the tests' own. */
export const outside: Outside = {
  argv: process.argv.slice(2),
  env: process.env,
  stdout: stream(process.stdout),
  stderr: stream(process.stderr),
  uid: process.getuid?.() ?? 0,
  version: 'test',
  confirm: async () => undefined,
  prompts: async () => undefined,
  readInput: async () => '',
  redactor: new Redactor(),
};
