import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { EngineIdentity } from '../domain/engine-identity.ts';
import { AgentError } from '../domain/errors.ts';
import { OPEN_STATES } from '../domain/job.ts';
import type { Log } from '../lib/log.ts';

const KEY = 'home';
const HOME = z.object({
  machine: z.string().optional(),
  file: z.string(),
  inode: z.string(),
  bornNs: z.string(),
});

/** Where a journal is: on which machine, and which file it is there. A copy of it is another file. */
type Home = z.infer<typeof HOME>;

/** What shows that a journal is a copy of another one that may be in use. */
export type Copied = {
  /** The journal that it was copied from, on its machine. */
  readonly from: string;
  readonly otherMachine: boolean;
};

export type HomeOptions = {
  /** The id of this machine; undefined: not known. */
  readonly machine?: string | undefined;
  /** The owner's confirmation that no other agent has the unfinished jobs. */
  readonly agentMoved?: boolean;
  readonly onCopied?: (copied: Copied) => void;
};

/** Logs that a journal without unfinished jobs has become that of another agent. */
export const logCopied =
  (log: Log): NonNullable<HomeOptions['onCopied']> =>
  (copied) =>
    log.warn(
      { event: 'state-dir-copied', ...copied },
      `state directory was copied from ${copied.otherMachine ? 'another machine' : copied.from}, registering offers of its own`,
    );

/**
 * Notes where the journal is. A copy becomes another agent's, with its own containers and instances. Throws STATE_DIR_COPIED
 * and changes nothing if it has unfinished jobs, which the original may have, unless the owner says that it does not.
 */
export function settleHome(db: DatabaseSync, file: string, options: HomeOptions): void {
  const before = readHome(db);
  const now = homeOf(file, options.machine);
  if (options.agentMoved === true) forgetEngine(db);
  else if (before !== undefined) {
    const copied = copyOf(before, now);
    if (copied !== undefined) {
      const jobs = openJobs(db);
      if (jobs > 0) throw stateDirCopied(file, copied, jobs);
      becomeAnother(db);
      options.onCopied?.(copied);
    }
  }
  const text = JSON.stringify(now);
  if (JSON.stringify(before) !== text)
    db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(KEY, text);
}

/** The key of the engine's identity in the table `meta`. */
export const ENGINE_KEY = 'engine';

/** The engine in a row of the table `meta`. */
export const engineRow = z.object({
  value: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.object({
        id: z.string().optional(),
        dataRoot: z.string().optional(),
        endpoint: z.string(),
      }),
    )
    .transform(({ dataRoot, endpoint, id }): EngineIdentity => ({ id, dataRoot, endpoint })),
});

/**
 * The number of unfinished jobs in a journal. Those that wait for a report or release count too: both agents would ask for the
 * jobs of their instance, and release what only the other one knows.
 */
function openJobs(db: DatabaseSync): number {
  const states = OPEN_STATES.map(() => '?').join();
  const row = db.prepare(`SELECT count(*) AS jobs FROM jobs WHERE state IN (${states})`).get(...OPEN_STATES);
  return z.object({ jobs: z.number() }).parse(row).jobs;
}

function readHome(db: DatabaseSync): Home | undefined {
  const row = db.prepare('SELECT value FROM meta WHERE key = ?').get(KEY);
  if (row === undefined) return undefined;
  return HOME.safeParse(JSON.parse(z.object({ value: z.string() }).parse(row).value)).data;
}

function homeOf(file: string, machine: string | undefined): Home {
  const { birthtimeNs, ino } = statSync(file, { bigint: true });
  return { ...(machine !== undefined && { machine }), file, inode: `${ino}`, bornNs: `${birthtimeNs}` };
}

/** A journal that was moved, or restored from a backup, is no copy: the original is no longer there. */
function copyOf(before: Home, now: Home): Copied | undefined {
  const otherMachine =
    before.machine !== undefined && now.machine !== undefined && before.machine !== now.machine;
  if (otherMachine) return { from: before.file, otherMachine };
  if (isSameFile(before, now) || before.file === now.file || !isThere(before)) return undefined;
  return { from: before.file, otherMachine };
}

/** Some file systems number their files again at each mount, and some know no time of birth. */
function isSameFile(a: Home, b: Home): boolean {
  return a.inode === b.inode || a.bornNs === b.bornNs;
}

function isThere(home: Home): boolean {
  try {
    return isSameFile(homeOf(home.file, undefined), home);
  } catch {
    return false;
  }
}

/** Containers of the original, and its instances at the broker, stay the original's. */
function becomeAnother(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare("UPDATE meta SET value = ? WHERE key = 'agentId'").run(randomUUID());
    db.exec('DELETE FROM instances');
    forgetEngine(db);
    db.exec('COMMIT');
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw cause;
  }
}

function forgetEngine(db: DatabaseSync): void {
  db.prepare('DELETE FROM meta WHERE key = ?').run(ENGINE_KEY);
}

function stateDirCopied(file: string, { from, otherMachine }: Copied, jobs: number): AgentError {
  const origin = otherMachine ? 'of another machine' : from;
  const count = `${jobs} unfinished job${jobs === 1 ? '' : 's'}`;
  return new AgentError(
    'STATE_DIR_COPIED',
    `the journal ${file} is a copy of the journal ${origin}, whose agent may have its ${count}`,
    {
      hint: 'if that agent is still used, give this one an empty --state-dir; if it is not, run `sharedcloud-agent agent-moved` with this agent’s options',
    },
  );
}
