import type { Language } from '../../domain/language.ts';
import { runProgram } from '../../lib/process.ts';

const DEADLINE_MS = 10_000;

/** The interpreters of this machine that can stand in for images; Node.js is always there: it runs us. */
export async function findInterpreters(
  node: string,
): Promise<Readonly<Partial<Record<Language, readonly [string, ...string[]]>>>> {
  const python = (await isThere('python3')) ? { python: ['python3', '-c'] as const } : {};
  return { node: [node, '-e'], ...python };
}

async function isThere(program: string): Promise<boolean> {
  const answer = await runProgram(program, ['-c', 'pass'], { deadlineMs: DEADLINE_MS }).catch(
    () => undefined,
  );
  return answer?.code === 0;
}
