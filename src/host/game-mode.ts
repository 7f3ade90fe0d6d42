import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { escapeControls } from '../lib/escape.ts';
import { PROGRAM_NOT_FOUND, ProgramError, runProgram } from '../lib/process.ts';
import { LIMITS } from '../limits.ts';

const NAME = 'com.feralinteractive.GameMode';
const DEADLINE_MS = 5_000;

const OWNED = z.object({ data: z.tuple([z.boolean()]) });
const COUNT = z.object({ data: z.int().nonnegative() });

/**
 * How many games of this user have asked GameMode for speed. GameMode is not started for this: while it does not run,
 * there is none. Throws GAMES_UNREADABLE. `program` is busctl, for tests another one.
 */
export async function readGames(signal: AbortSignal, program = 'busctl'): Promise<number> {
  const bus = ['call', 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus'];
  const owned = OWNED.safeParse(await call(program, [...bus, 'NameHasOwner', 's', NAME], signal));
  if (!owned.success) throw unreadable('the session bus gave no usable answer');
  if (!owned.data.data[0]) return 0;
  const path = `/${NAME.replaceAll('.', '/')}`;
  const counted = COUNT.safeParse(
    await call(program, ['get-property', NAME, path, NAME, 'ClientCount'], signal),
  );
  if (!counted.success) throw unreadable('GameMode gave no usable answer');
  return counted.data.data;
}

/** What it prints as JSON. */
async function call(program: string, args: readonly string[], signal: AbortSignal): Promise<unknown> {
  const all = ['--user', '--json=short', '--auto-start=no', ...args];
  try {
    const result = await runProgram(program, all, { deadlineMs: DEADLINE_MS, signal });
    if (result.code === PROGRAM_NOT_FOUND) throw unreadable(`${program} is not installed`);
    const why = result.stderr.trim().split('\n')[0] ?? '';
    if (result.code !== 0) throw unreadable(escapeControls(why).slice(0, LIMITS.host.smiLine.max));
    const answer: unknown = JSON.parse(result.stdout);
    return answer;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown instanceof ProgramError ? unreadable(`${program} ${thrown.message}`) : thrown;
  }
}

function unreadable(why: string): AgentError {
  return new AgentError('GAMES_UNREADABLE', `it is unknown whether a game runs: ${why || 'no reason given'}`);
}
