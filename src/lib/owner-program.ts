import { cut } from './cut.ts';
import { escapeControls } from './escape.ts';
import { PROGRAM_NOT_FOUND, ProgramError, runProgram } from './process.ts';

/** Where the owner’s programs are looked up. */
export const OWNER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A program may leave something running that holds its output; its exit code is the answer. */
const LINGER_MS = 500;
/** Of what a program says of its failure, in characters. */
const SAID = 500;

export type OwnerProgram = {
  readonly program: string;
  readonly deadlineMs: number;
  readonly maxOutputBytes: number;
  readonly input?: string;
  /** Beside `PATH`. It has none of the agent’s variables, of which one may be a secret. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Makes what is thrown of why it failed, such as `ended with 3: no disk left`. */
  readonly failed: (why: string) => Error;
};

/**
 * Runs a program of the owner without arguments and without a shell, and answers what it printed. A program that does not end
 * with 0 in its time has failed, on the first line of what it said. Throws `failed(why)`, or the reason of `signal`.
 */
export async function runOwnerProgram({
  failed,
  program,
  variables,
  ...options
}: OwnerProgram): Promise<string> {
  const env = { PATH: OWNER_PATH, ...variables };
  const { code, stderr, stdout } = await runProgram(program, [], {
    ...options,
    env,
    lingerMs: LINGER_MS,
  }).catch((thrown: unknown) => {
    throw thrown instanceof ProgramError ? failed(thrown.message) : thrown;
  });
  if (code === 0) return stdout;
  if (code === PROGRAM_NOT_FOUND) throw failed('is not there, or a program that it runs');
  const [said = ''] = stderr.trim().split('\n');
  throw failed(`ended with ${code}${said === '' ? '' : `: ${cut(escapeControls(said), SAID)}`}`);
}
