import { runProgram } from '../lib/process.ts';

const DEADLINE_MS = 5_000;

/** The version of Nvidia's container toolkit on this host, such as `1.19.1`; undefined if it cannot be read in 5 s. */
export async function toolkitVersion(program = 'nvidia-ctk'): Promise<string | undefined> {
  const result = await runProgram(program, ['--version'], { deadlineMs: DEADLINE_MS }).catch(() => undefined);
  return result?.code === 0 ? /\bversion v?(\d+(?:\.\d+)+)/i.exec(result.stdout)?.[1] : undefined;
}
