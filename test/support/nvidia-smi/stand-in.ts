import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Machine } from './machine.ts';

const PROGRAM = fileURLToPath(new URL('nvidia-smi.ts', import.meta.url));

const callSchema = z.object({
  args: z.array(z.string()),
  locale: z.string().optional(),
  pid: z.int(),
  token: z.string().optional(),
});

/** A call that the stand-in got. */
export type Call = z.infer<typeof callSchema>;

/** An nvidia-smi of one's own. */
export type StandIn = AsyncDisposable & {
  /** The directory to put on PATH. */
  readonly directory: string;
  readonly program: string;
  readonly calls: () => Promise<readonly Call[]>;
  /** Shows another host from now on. */
  readonly become: (machine: Machine) => Promise<void>;
};

/** Puts an executable `nvidia-smi` into a directory of its own. */
export async function standIn(machine: Machine): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), 'nvidia-smi-'));
  const program = join(directory, 'nvidia-smi');
  const calls = join(directory, 'calls');
  const become = (other: Machine): Promise<void> =>
    writeFile(join(directory, 'machine.json'), JSON.stringify(other, undefined, 2));
  await symlink(PROGRAM, program);
  await become(machine);
  return {
    directory,
    program,
    become,
    calls: async () => {
      const lines = existsSync(calls) ? (await readFile(calls, 'utf8')).trim().split('\n') : [];
      return lines.map((line) => callSchema.parse(JSON.parse(line)));
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
