import { execFile } from 'node:child_process';
import type { Language } from '../../domain/language.ts';

const PROBE_MS = 10_000;

/** The interpreters of this machine that can stand in for images; Node.js is always there: it runs us. */
export async function findInterpreters(
  node: string,
): Promise<Readonly<Partial<Record<Language, readonly [string, ...string[]]>>>> {
  const python = (await answers('python3')) ? { python: ['python3', '-c'] as const } : {};
  return { node: [node, '-e'], ...python };
}

function answers(program: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, ['-c', 'pass'], { timeout: PROBE_MS }, (error) => resolve(error === null));
  });
}
