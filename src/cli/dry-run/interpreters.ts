import { runProgram } from '../../lib/process.ts';

const DEADLINE_MS = 10_000;

/** The program and its first arguments; the code follows. */
type Interpreter = readonly [string, ...string[]];

/** The interpreters of this machine that stand in for images; `python` is undefined if it is not installed. */
export type Interpreters = { readonly node: Interpreter; readonly python: Interpreter | undefined };

/** `node` is the path of the Node.js that runs this process. */
export async function findInterpreters(node: string): Promise<Interpreters> {
  return { node: [node, '-e'], python: (await isInstalled('python3')) ? ['python3', '-c'] : undefined };
}

async function isInstalled(program: string): Promise<boolean> {
  const answer = await runProgram(program, ['-c', 'pass'], { deadlineMs: DEADLINE_MS }).catch(
    () => undefined,
  );
  return answer?.code === 0;
}
