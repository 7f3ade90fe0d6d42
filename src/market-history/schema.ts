/** What SQLite's header says of a market history: "SCmh". */
export const APPLICATION_ID = 0x53_43_6d_68;
/** A file with a newer version is replaced. */
export const VERSION = 1;

/** The tables. A run that is still open has no `last_seen`; times are milliseconds of the wall clock. */
export const CREATE = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE functions (
    id INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    image TEXT,
    runtime TEXT,
    requires_gpu INTEGER,
    known_at INTEGER,
    used_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX functions_unknown ON functions (id) WHERE known_at IS NULL;
  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    function INTEGER NOT NULL,
    base_gpu INTEGER,
    bid REAL NOT NULL,
    jobs INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER
  ) STRICT;
  CREATE INDEX runs_by_end ON runs (last_seen);
  CREATE TABLE gpus (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT) STRICT;
  CREATE TABLE polls (
    id INTEGER PRIMARY KEY,
    offer TEXT NOT NULL,
    state TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX looks_by_end ON polls (until);
  CREATE TABLE asks (
    at INTEGER NOT NULL,
    gpu TEXT NOT NULL,
    ask REAL NOT NULL,
    offers INTEGER NOT NULL,
    PRIMARY KEY (at, gpu, ask)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE histograms (
    hour INTEGER NOT NULL,
    base_gpu INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    jobs INTEGER NOT NULL,
    open_ms INTEGER NOT NULL,
    PRIMARY KEY (hour, base_gpu, bucket)
  ) STRICT, WITHOUT ROWID;
`;

/** Columns that files of older agents lack. They do not raise the version: an older agent ignores them. */
export const ADDED_COLUMNS = [{ table: 'gpus', column: 'name', type: 'TEXT' }] as const;

/** Bids of a bucket differ by up to so much. */
const STEP = 1.1;
/** Below every bid that is worth the electricity; all lower ones share a bucket. */
const LOWEST = 1e-6;

/** The bucket of a bid in US dollars per job and minute. Pure. */
export function bucketOf(bid: number): number {
  return bid < LOWEST ? -1 : Math.floor(Math.log(bid / LOWEST) / Math.log(STEP));
}

/** The lowest bid of a bucket. Pure. */
export function bidOf(bucket: number): number {
  return bucket < 0 ? 0 : LOWEST * STEP ** bucket;
}
