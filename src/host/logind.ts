import { AgentError } from '../domain/errors.ts';
import type { Sessions } from '../domain/ports/sessions.ts';
import type { Session } from '../domain/session.ts';
import { escapeControls } from '../lib/escape.ts';
import { measurementIn } from '../lib/measurement.ts';
import { PROGRAM_NOT_FOUND, ProgramError, type ProgramResult, runProgram } from '../lib/process.ts';
import { LIMITS } from '../limits.ts';

/** The bus answers in milliseconds; one that starts logind may take longer. */
const DEADLINE_MS = 5_000;

const PROPERTIES = [
  'Id',
  'Name',
  'Class',
  'Type',
  'Remote',
  'Active',
  'State',
  'IdleHint',
  'IdleSinceHint',
  'LockedHint',
  'TimestampMonotonic',
];

/** What loginctl says where there is no systemd, as in a container. */
const NO_LOGIND =
  /has not been booted with systemd|No such file or directory|Host is down|Connection refused/i;

export type LogindOptions = {
  /** A path, or a name on PATH. */
  readonly program?: string;
  /** The kernel's monotonic clock, by which logind tells the age of a session, in milliseconds. For tests. */
  readonly monotonic?: () => number;
};

/** Asks systemd-logind by `loginctl`, as any user may: each session by itself, since the sum of all is wrong in systemd 256. */
export class Logind implements Sessions {
  readonly #program: string;
  readonly #monotonic: () => number;

  constructor({ monotonic = monotonicMs, program = 'loginctl' }: LogindOptions = {}) {
    this.#program = program;
    this.#monotonic = monotonic;
  }

  async read(signal: AbortSignal): Promise<readonly Session[] | undefined> {
    const listed = await this.#call(['list-sessions', '--no-legend', '--no-pager'], signal);
    if (listed.code === PROGRAM_NOT_FOUND) return undefined;
    if (listed.code !== 0) {
      if (NO_LOGIND.test(listed.stderr)) return undefined;
      throw unreadable(listed.stderr);
    }
    const ids = sessionIds(listed.stdout);
    if (ids.length === 0) return [];
    const shown = await this.#call(
      ['show-session', '--no-pager', `--property=${PROPERTIES.join(',')}`, ...ids],
      signal,
    );
    // One that has ended in between makes it fail, after the others or before them.
    if (shown.code !== 0 && shown.stdout.trim() === '') throw unreadable(shown.stderr);
    return parseSessions(shown.stdout, this.#monotonic());
  }

  async #call(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    try {
      return await runProgram(this.#program, args, { deadlineMs: DEADLINE_MS, signal });
    } catch (thrown) {
      throw thrown instanceof ProgramError ? unreadable(`${this.#program} ${thrown.message}`) : thrown;
    }
  }
}

/** The ids in the first column; not what would be an option. */
function sessionIds(list: string): readonly string[] {
  const ids = list.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? '');
  return ids.filter((id) => /^\w{1,64}$/.test(id)).slice(0, LIMITS.host.sessions.max);
}

/** Reads what `loginctl show-session` prints: a block of lines `Name=value` for each session, with an empty line between. */
export function parseSessions(text: string, monotonicMsNow: number): readonly Session[] {
  return text.split(/\n\s*\n/).flatMap((block) => {
    const values = new Map(block.split('\n').map((line) => pair(line)));
    const id = values.get('Id');
    const kind = values.get('Class');
    if (id === undefined || kind === undefined || values.get('State') === 'closing') return [];
    const since = microseconds(values.get('IdleSinceHint'));
    const began = microseconds(values.get('TimestampMonotonic'));
    return [
      {
        id,
        kind,
        type: values.get('Type') ?? '',
        user: escapeControls((values.get('Name') ?? '').slice(0, LIMITS.host.smiName.max)),
        isRemote: values.get('Remote') === 'yes',
        isActive: values.get('Active') === 'yes',
        isLocked: values.get('LockedHint') === 'yes',
        isIdle: values.get('IdleHint') === 'yes',
        idleSince: since === 0 ? undefined : since,
        ageMs: Math.max(monotonicMsNow - (began ?? monotonicMsNow), 0),
      },
    ];
  });
}

function pair(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, Math.max(at, 0)).trim(), line.slice(at + 1).trim()];
}

/** In milliseconds. */
function microseconds(text: string | undefined): number | undefined {
  const found = measurementIn(text ?? '');
  return found === undefined ? undefined : found / 1000;
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

function unreadable(stderr: string): AgentError {
  const why = escapeControls(stderr.trim().split('\n')[0] ?? '').slice(0, LIMITS.host.smiLine.max);
  return new AgentError(
    'SESSIONS_UNREADABLE',
    `the sessions of this host cannot be read: ${why || 'no reason given'}`,
    {
      hint: 'run it by hand: loginctl list-sessions',
    },
  );
}
