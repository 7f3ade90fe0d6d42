import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
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

/** Gives an answer again without a Node.js to work it out, as long as the machine is the same: ten times as fast. */
const REMEMBERING = `#!/bin/sh
cd "$(dirname "$0")" || exit 1
answer="answer-$(cat machine.json - <<END | cksum | tr ' ' -
$*
END
)"
if [ ! -f "$answer" ]; then
  NVIDIA_SMI_ONCE=1 ./nvidia-smi-asked "$@" >"$answer.$$" || { code=$?; cat "$answer.$$"; exit $code; }
  mv "$answer.$$" "$answer"
fi
cat "$answer"
case $* in
  *' -lms '*) while sleep "$(printf '%s' "$*" | sed 's/.*-lms //; s/$/e-3/')"; do cat "$answer" || exit; done ;;
esac
`;

/**
 * Puts an executable `nvidia-smi` into a directory of its own. One that is `quick` remembers its answers, and notes
 * only the first of equal calls: for tests in which many daemons ask at once.
 */
export async function standIn(
  machine: Machine,
  options: { readonly quick?: boolean } = {},
): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), 'nvidia-smi-'));
  const program = join(directory, 'nvidia-smi');
  const calls = join(directory, 'calls');
  const become = async (other: Machine): Promise<void> => {
    // A reader sees the old or the new content, never half of it.
    await writeFile(join(directory, 'machine.new'), JSON.stringify(other, undefined, 2));
    await rename(join(directory, 'machine.new'), join(directory, 'machine.json'));
  };
  if (options.quick === true) {
    await symlink(PROGRAM, `${program}-asked`);
    await writeFile(program, REMEMBERING, { mode: 0o755 });
  } else await symlink(PROGRAM, program);
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
