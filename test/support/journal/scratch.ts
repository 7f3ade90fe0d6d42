import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src/domain/ports/clock.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';

export const BROKER = 'https://broker.example/';

/** An empty directory that is removed after the test. */
export function scratchDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'journal-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Opens the journal of a directory, runs `use` with it, and closes both. */
export function withJournal<T>(
  path: string,
  use: (journal: SqliteJournal) => T,
  broker = BROKER,
  clock: Clock = systemClock,
): T {
  const dir = openStateDir(path);
  try {
    const journal = openJournal(dir, broker, clock);
    try {
      return use(journal);
    } finally {
      journal.close();
    }
  } finally {
    dir.close();
  }
}

/** A journal in a directory of its own, open until the test ends. */
export function openScratch(clock: Clock = systemClock): SqliteJournal {
  const dir = openStateDir(scratchDir());
  const journal = openJournal(dir, BROKER, clock);
  onTestFinished(() => {
    journal.close();
    dir.close();
  });
  return journal;
}
