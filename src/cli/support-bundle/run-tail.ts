import { AgentError } from '../../domain/errors.ts';
import { followProgram, PROGRAM_NOT_FOUND, ProgramError } from '../../lib/process.ts';
import { LIMITS } from '../../limits.ts';

/** Of the error output of a program. */
const MAX_ERROR = 1_000;

/**
 * The last lines that a program prints, as many as a file of the bundle may have, of those that `line` keeps. Throws
 * BUNDLE_PART_MISSING where it cannot be run or fails.
 */
export async function runTail(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  line = (text: string): string | undefined => text,
): Promise<string> {
  const kept: string[] = [];
  let [size, stderr] = [0, ''];
  const onLines = (lines: readonly string[]): void => {
    for (const text of lines) {
      const own = line(text);
      if (own === undefined) continue;
      kept.push(own);
      size += own.length + 1;
      while (size > LIMITS.host.bundleFile.max) size -= (kept.shift()?.length ?? 0) + 1;
    }
  };
  const onStderr = (text: string): void => {
    stderr = (stderr + text).slice(0, MAX_ERROR);
  };
  const code = await followProgram(program, args, { onLines, onStderr, signal }).catch((thrown: unknown) => {
    if (thrown instanceof ProgramError) throw missing(`${program} ${thrown.message}`);
    throw thrown;
  });
  if (code === PROGRAM_NOT_FOUND) throw missing(`${program} is not installed`);
  if (code !== 0) throw missing(`${program} ended with ${code}: ${stderr.trim().split('\n')[0] ?? ''}`);
  return kept.map((text) => `${text}\n`).join('');
}

export function missing(why: string): AgentError {
  return new AgentError('BUNDLE_PART_MISSING', why);
}
