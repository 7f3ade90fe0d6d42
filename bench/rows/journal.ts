import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../src/journal/open-journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStateDir } from '../../src/state-dir/state-dir.ts';
import { figureOf } from '../measure/spread.ts';
import type { Row } from '../row.ts';

const REPORT = {
  status: 3,
  buildLogs: 'image\n',
  stdout: 'x'.repeat(2_000),
  stderr: '',
  result: '1',
} as const;
const SINCE = { boot: 'bench', upMs: 1 };
/** The states of a job that goes well. */
const LIFE = [
  { name: 'claimed' },
  { name: 'starting', container: 'c'.repeat(64), since: SINCE },
  { name: 'running', container: 'c'.repeat(64), startedAt: 1, since: SINCE },
  { name: 'finished', report: REPORT, durationMs: 1 },
  { name: 'reported', status: 3, durationMs: 1, earned: 0 },
] as const;

/** The journal's part of a job's duration, on the disk of the temporary directory, each entry synced. */
export const journal: Row = {
  name: 'journal',
  measure: async (ground) => {
    const directory = await mkdtemp(join(tmpdir(), 'sharedcloud-bench-'));
    await using opened = new AsyncDisposableStack();
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    const stateDir = openStateDir(directory);
    opened.defer(() => stateDir.close());
    const book = openJournal(stateDir, 'https://sharedcloud.io', systemClock);
    opened.defer(() => book.close());
    const file = openSync(join(directory, 'yardstick'), 'w');
    opened.defer(() => closeSync(file));
    const lives: number[] = [];
    const syncs: number[] = [];
    for (let index = 0; index < (ground.quick ? 20 : 500); index += 1) {
      lives.push(timed(() => live(book, `job-${index}`)));
      syncs.push(timed(() => sync(file)));
    }
    return [
      figureOf(
        { what: 'a job’s six lines, synced', unit: 'ms', targets: [{ of: 'median', atMost: 2 }] },
        lives,
        {
          what: 'six bare writes of a page, synced',
          samples: syncs,
        },
      ),
    ];
  },
};

function live(book: ReturnType<typeof openJournal>, uuid: string): void {
  const job = {
    uuid,
    run: 'run',
    functionName: 'function',
    offerKey: 'cpu',
    instance: 'instance',
    slot: 'cpu#0',
    gpu: null,
    askPrice: 0.1,
    image: 'image',
    timeoutMs: 1,
  };
  book.insert(job, 'function');
  for (const state of LIFE) book.transition(uuid, state);
}

const PAGE = Buffer.alloc(4_096, 1);

function sync(file: number): void {
  for (let line = 0; line <= LIFE.length; line += 1) {
    writeSync(file, PAGE);
    fdatasyncSync(file);
  }
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}
