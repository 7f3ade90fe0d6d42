import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { JOURNAL_FILE } from './open-journal.ts';
import { SCHEMA_VERSION, versionOf } from './schema.ts';

/** Checking a larger one would take minutes. */
const MAX_CHECKED_BYTES = 1024 ** 3;

/** A journal from outside, as far as it can be read; `errors` says what cannot. */
export type JournalDigest = {
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly schemaVersion: number | null;
  /** The version that this agent writes. */
  readonly supportedVersion: number;
  /** What SQLite says of it: `ok`, or its first problems. */
  readonly integrity: string | null;
  readonly rows: Readonly<Record<string, number>>;
  readonly jobsByState: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
};

const NAMES = z.array(z.object({ name: z.string() }));
const COUNT = z.object({ count: z.number() });
const STATES = z.array(z.object({ state: z.string(), count: z.number() }));
const CHECKED = z.array(z.object({ quick_check: z.string() }));

/** Reads sizes, counts and integrity of the journal in a directory; changes nothing, and never throws. */
export function digestJournal(directory: string): JournalDigest {
  const file = join(directory, JOURNAL_FILE);
  const errors: string[] = [];
  const orNull = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (thrown) {
      errors.push(thrown instanceof Error ? thrown.message : String(thrown));
      return null;
    }
  };
  const files = ['', '-wal', '-shm'].flatMap((suffix) => {
    const found = orNull(() => statSync(`${file}${suffix}`, { throwIfNoEntry: false }));
    return found?.isFile() ? [{ name: `${JOURNAL_FILE}${suffix}`, bytes: found.size }] : [];
  });
  const [main] = files;
  const db =
    main?.name === JOURNAL_FILE
      ? orNull(() => new DatabaseSync(file, { readOnly: true, timeout: 2_000 }))
      : null;
  if (main === undefined && errors.length === 0) errors.push(`there is no ${file}`);
  try {
    const all = <T>(schema: z.ZodType<T>, sql: string): T => schema.parse(db?.prepare(sql).all() ?? []);
    const tables =
      orNull(() => all(NAMES, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")) ?? [];
    const counted = tables.flatMap(({ name }) => {
      const quoted = name.replaceAll('"', '""');
      const row = orNull(() => COUNT.parse(db?.prepare(`SELECT count(*) AS count FROM "${quoted}"`).get()));
      return row === null ? [] : [[name, row.count] as const];
    });
    const states = db && orNull(() => all(STATES, BY_STATE));
    return {
      files,
      schemaVersion: db && orNull(() => versionOf(db)),
      supportedVersion: SCHEMA_VERSION,
      integrity:
        db &&
        ((main?.bytes ?? 0) > MAX_CHECKED_BYTES
          ? 'not checked: it is too large'
          : orNull(() =>
              all(CHECKED, 'PRAGMA quick_check(5)')
                .map((row) => row.quick_check)
                .join('; '),
            )),
      rows: Object.fromEntries(counted),
      jobsByState: Object.fromEntries((states ?? []).map(({ count, state }) => [state, count])),
      errors,
    };
  } finally {
    db?.close();
  }
}

const BY_STATE = 'SELECT state, count(*) AS count FROM jobs GROUP BY state ORDER BY state';
