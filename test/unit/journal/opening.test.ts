import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { JOURNAL_FILE, openJournal, readJournal } from '../../../src/journal/open-journal.ts';
import { SCHEMA_VERSION } from '../../../src/journal/schema.ts';
import { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { ALL_STATES, newJob, stateNamed } from '../../support/journal/samples.ts';
import { BROKER, scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

const RELEASE_0_1_0 = new URL('../../support/journal/release-0.1.0.sql', import.meta.url);

/** A directory with a journal that has jobs. */
function usedJournal(jobs = 1): { path: string; file: string } {
  const path = scratchDir();
  withJournal(path, (journal) => {
    for (let n = 0; n < jobs; n += 1)
      journal.insert({ ...newJob(`job-${n}`), functionName: 'x'.repeat(500) });
  });
  return { path, file: join(path, JOURNAL_FILE) };
}

/** Changes a journal without the agent. */
function tamper(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

/** The schema, its version and all rows of a journal. */
/** What release 0.1.0 knows of a journal: all but the tables that were added without a new version. */
function rowsOf(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  // Older agents ignore the tables that were added.
  const schema = "(SELECT * FROM sqlite_schema WHERE tbl_name IN ('meta', 'instances', 'jobs'))";
  // Older agents ignore where the journal is.
  const meta = "(SELECT * FROM meta WHERE key <> 'home')";
  const tables = [schema, 'pragma_user_version', meta, 'instances', 'jobs'];
  const rows = tables.map((table) => db.prepare(`SELECT * FROM ${table}`).all());
  db.close();
  return rows;
}

const fingerprint = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const copies = (path: string) => readdirSync(path).filter((name) => /damaged|newer/.test(name));

test('a journal that others could read, and so lock, is its owner’s again', () => {
  const { file, path } = usedJournal();
  chmodSync(file, 0o644);
  withJournal(path, () => expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a journal is created once with an agent id, readable by its owner only', () => {
  const path = scratchDir();
  const first = withJournal(path, (journal) => journal.agentId);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(withJournal(path, (journal) => journal.agentId)).toBe(first);
  expect(withJournal(scratchDir(), (journal) => journal.agentId)).not.toBe(first);
  expect(statSync(join(path, JOURNAL_FILE)).mode & 0o777).toBe(0o600);
});

test('a creation that was interrupted is started again', () => {
  const path = scratchDir();
  writeFileSync(join(path, `${JOURNAL_FILE}.new`), 'half');
  withJournal(path, (journal) => journal.insert(newJob('a')));
  expect(readdirSync(path)).not.toContain(`${JOURNAL_FILE}.new`);
});

test('a journal uses a write-ahead log, so that readers never wait', () => {
  const { path, file } = usedJournal();
  const dir = openStateDir(path);
  openJournal(dir, BROKER, systemClock).close();
  dir.close();
  const db = new DatabaseSync(file);
  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  db.close();
});

test('instances are stored per broker', () => {
  const path = scratchDir();
  withJournal(path, (journal) => {
    expect(journal.instance('cpu')).toBeUndefined();
    journal.rememberInstance('cpu', 'one');
    journal.rememberInstance('cpu', 'two');
    expect(journal.instance('cpu')).toBe('two');
    expect(journal.instance('gpu:NVIDIA H100')).toBeUndefined();
  });
  expect(withJournal(path, (journal) => journal.instance('cpu'), 'https://other.example')).toBeUndefined();
  expect(withJournal(path, (journal) => journal.instance('cpu'), BROKER.slice(0, -1))).toBe('two');
});

test('a lease is stored per broker', () => {
  const path = scratchDir();
  withJournal(path, (journal) => {
    expect(journal.leaseSeconds()).toBeUndefined();
    journal.rememberLease(60);
    journal.rememberLease(2.5);
  });
  expect(withJournal(path, (journal) => journal.leaseSeconds())).toBe(2.5);
  expect(withJournal(path, (journal) => journal.leaseSeconds(), 'https://other.example')).toBeUndefined();
});

test('another broker is CONFIG_INVALID while jobs of one are unfinished', () => {
  const { path } = usedJournal();
  const error = agentErrorOf(() => withJournal(path, () => undefined, 'https://other.example'));
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toContain('https://other.example/');
  expect(error.hint).toContain(BROKER);
  withJournal(path, (journal) => journal.transition('job-0', stateNamed('dropped')));
  withJournal(path, (journal) => expect(journal.history(5)).toHaveLength(1), 'https://other.example');
});

test('an older journal is migrated, with an unknown start time of its running jobs', () => {
  const { path, file } = usedJournal(2);
  const older = { name: 'running', container: 'c1', startedAt: 1000 };
  tamper(
    file,
    `UPDATE jobs SET state = 'running', detail = '${JSON.stringify(older)}' WHERE uuid = 'job-0';
     PRAGMA user_version = 1`,
  );
  withJournal(path, (journal) => {
    expect(journal.get('job-0')?.state).toEqual({ ...older, since: { boot: '', upMs: 0 } });
    expect(journal.get('job-1')?.state).toEqual({ name: 'claiming' });
  });
});

test('a journal of release 0.1.0 opens, with every state, and stays one that 0.1.0 can open', () => {
  const path = scratchDir();
  const file = join(path, JOURNAL_FILE);
  tamper(file, readFileSync(RELEASE_0_1_0, 'utf8'));
  const before = rowsOf(file);
  withJournal(path, (journal) => {
    expect(journal.agentId).toBe('4d02c05f-df5c-4a2d-982e-3d494af76737');
    expect(journal.instance('gpu:NVIDIA H100')).toBe('instance-1');
    expect(journal.leaseSeconds()).toBe(60);
    expect(journal.history(100).toReversed()).toEqual(
      ALL_STATES.map((state) => ({
        ...newJob(`job-${state.name}`),
        state,
        claimedAt: 1000,
        updatedAt: 2000,
      })),
    );
  });
  expect(rowsOf(file)).toEqual(before);
});

describe('JOURNAL_UNUSABLE, unchanged:', () => {
  test('a newer agent’s journal', () => {
    const { path, file } = usedJournal();
    tamper(file, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    const before = fingerprint(file);
    for (const open of [() => readJournal(path), () => withJournal(path, () => undefined)]) {
      const error = agentErrorOf(open);
      expect(error.code).toBe('JOURNAL_UNUSABLE');
      expect(error.message).toContain(`version ${SCHEMA_VERSION + 1}`);
    }
    expect(fingerprint(file)).toBe(before);
  });

  test('a newer agent’s journal, copied once by the daemon and never by readers', () => {
    const { path, file } = usedJournal();
    tamper(file, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    agentErrorOf(() => readJournal(path));
    expect(copies(path)).toEqual([]);
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(agentErrorOf(() => withJournal(path, () => undefined)).hint).toContain(`${file}.newer-`);
    const [copy, ...more] = copies(path);
    expect(more).toEqual([]);
    expect(copy).toContain('newer');
    expect(fingerprint(join(path, copy ?? ''))).toBe(fingerprint(file));
  });

  test('another program’s database', () => {
    const path = scratchDir();
    const file = join(path, JOURNAL_FILE);
    tamper(file, 'CREATE TABLE theirs (a)');
    const before = fingerprint(file);
    const error = agentErrorOf(() => withJournal(path, () => undefined));
    expect(error.code).toBe('JOURNAL_UNUSABLE');
    expect(fingerprint(file)).toBe(before);
  });

  test.each([
    ['not a database', (file: string) => writeFileSync(file, 'something else entirely '.repeat(100))],
    ['emptied', (file: string) => truncateSync(file)],
    ['cut off', (file: string) => truncateSync(file, statSync(file).size - 3 * 4096)],
    ['overwritten in the middle', (file: string) => overwriteMiddle(file)],
  ])('a journal that is %s, copied once', (_, damage) => {
    const { path, file } = usedJournal(100);
    damage(file);
    const before = fingerprint(file);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const error = agentErrorOf(() => withJournal(path, () => undefined));
      expect(error.code).toBe('JOURNAL_UNUSABLE');
      expect(error.hint).toContain(`${file}.damaged-`);
    }
    expect(fingerprint(file)).toBe(before);
    const [copy, ...more] = copies(path);
    expect(more).toEqual([]);
    expect(fingerprint(join(path, copy ?? ''))).toBe(before);
  });

  test('a write-ahead log without its journal', () => {
    const { path, file } = usedJournal();
    writeFileSync(`${file}-wal`, 'frames');
    rmSync(file);
    const error = agentErrorOf(() => withJournal(path, () => undefined));
    expect(error.code).toBe('JOURNAL_UNUSABLE');
    expect(readFileSync(`${file}-wal`, 'utf8')).toBe('frames');
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    ['an unknown state', `UPDATE jobs SET state = 'dancing', detail = '{"name":"dancing"}'`],
    ['a state without its container', `UPDATE jobs SET state = 'running', detail = '{"name":"running"}'`],
    ['a detail that is not JSON', `UPDATE jobs SET detail = 'x'`],
    ['two different states', `UPDATE jobs SET state = 'claimed'`],
  ])('an invalid entry: %s', (_, sql) => {
    const { path, file } = usedJournal();
    tamper(file, sql);
    const error = agentErrorOf(() => withJournal(path, (journal) => journal.history(1)));
    expect(error.code).toBe('JOURNAL_UNUSABLE');
    expect(error.message).toContain('job-0');
  });
});

describe('reading', () => {
  test('a directory without a journal creates none', () => {
    const path = scratchDir();
    expect(readJournal(path)).toBeUndefined();
    expect(readdirSync(path)).toEqual([]);
  });

  test('works while an agent writes, and sees its changes', () => {
    const path = scratchDir();
    withJournal(path, (journal) => {
      const reader = readJournal(path);
      expect(reader?.agentId).toBe(journal.agentId);
      journal.insert(newJob('a'));
      expect(reader?.history(5).map((job) => job.uuid)).toEqual(['a']);
      journal.transition('a', { name: 'claimed' });
      expect(reader?.inState('claimed')).toHaveLength(1);
      reader?.close();
    });
  });

  test('cannot write', () => {
    const { path } = usedJournal();
    const reader = readJournal(path);
    if (!(reader instanceof SqliteJournal)) throw new Error('no journal');
    expect(agentErrorOf(() => reader.transition('job-0', { name: 'claimed' })).code).toBe(
      'STATE_DIR_UNUSABLE',
    );
    reader.close();
  });
});

function overwriteMiddle(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0xa5, 4096 * 3, 4096 * 6);
  writeFileSync(file, bytes);
}
