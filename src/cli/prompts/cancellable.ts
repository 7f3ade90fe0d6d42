import type { CliContext } from '../command.ts';
import { Cancelled } from './prompts.ts';

/** As a shell has it for Ctrl-C. */
const CANCELLED_EXIT = 130;

/** The exit code of a command that asks, and writes nothing before its last question; also where that is left by Ctrl-C. */
export async function cancellable(
  context: CliContext,
  work: (context: CliContext) => Promise<number>,
): Promise<number> {
  try {
    return await work(context);
  } catch (thrown) {
    if (!(thrown instanceof Cancelled)) throw thrown;
    context.stderr.write('cancelled; nothing was written\n');
    return CANCELLED_EXIT;
  }
}
