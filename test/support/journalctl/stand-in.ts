import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A kernel's log of one's own. */
export type JournalctlStandIn = AsyncDisposable & {
  /** The directory to put on PATH before all others. */
  readonly directory: string;
  readonly program: string;
  /** Lets the kernel say something. */
  readonly say: (line: string) => Promise<void>;
};

/** How a journalctl behaves that is not to be trusted. */
export type Misbehaviour = 'ends at once' | 'may not read' | 'sees only its own' | 'clings to life';

const HINT = `Hint: You are currently not seeing messages from other users and the system.
      Users in groups 'adm', 'systemd-journal' can see all messages.
      Pass -q to turn off this notice.`;

/** Takes no notice of a pipe that is closed, nor of any signal that it may overlook. */
const CLINGS = 'trap "" PIPE HUP TERM INT; while :; do sleep 0.1; done';

const MISBEHAVING: Readonly<Record<Misbehaviour, string>> = {
  'ends at once': 'exit 1',
  'may not read': 'echo "No journal files were opened due to insufficient permissions." >&2; exit 1',
  'clings to life': CLINGS,
  'sees only its own': `echo "${HINT}" >&2; exec tail -n 0 -f "$log"`,
};

/** Puts an executable `journalctl` into a directory of its own, which prints what is passed to `say`. */
export async function journalctlStandIn(misbehaviour?: Misbehaviour): Promise<JournalctlStandIn> {
  const directory = await mkdtemp(join(tmpdir(), 'journalctl-'));
  const log = join(directory, 'kernel.log');
  const program = join(directory, 'journalctl');
  const behaviour = misbehaviour === undefined ? 'exec tail -n 0 -f "$log"' : MISBEHAVING[misbehaviour];
  const script = `#!/bin/sh
echo "$$ $*" >>"$0.calls"
log="$(dirname "$0")/kernel.log"
case " $* " in
  *' -f '*) ${behaviour} ;;
  *) ${misbehaviour === undefined ? 'exit 0' : behaviour} ;;
esac
`;
  await writeFile(log, '');
  await writeFile(program, script, { mode: 0o755 });
  return {
    directory,
    program,
    say: (line) => appendFile(log, `${line}\n`),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
