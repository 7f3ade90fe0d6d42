import { runProgram } from '../lib/process.ts';

const DEADLINE_MS = 5_000;

/**
 * The version of Nvidia's container toolkit on this machine, such as `1.19.1`; undefined where it is not there, gives no
 * answer in time or prints something else. `program` is its command line tool.
 */
export async function toolkitVersion(program = 'nvidia-ctk'): Promise<string | undefined> {
  const answer = await runProgram(program, ['--version'], { deadlineMs: DEADLINE_MS }).catch(() => undefined);
  return answer?.code === 0 ? /\bversion v?(\d+(?:\.\d+)+)/i.exec(answer.stdout)?.[1] : undefined;
}
