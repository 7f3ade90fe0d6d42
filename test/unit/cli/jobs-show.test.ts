import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobs } from '../../../src/cli/jobs/command.ts';
import { detailsText } from '../../../src/cli/jobs/render-details.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { detailsOf } from '../../../src/journal/job-details.ts';
import { slimOf } from '../../../src/journal/job-summary.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { aPage } from '../../support/cli/page.ts';
import { runLine } from '../../support/cli/run.ts';
import { prune } from '../../support/journal/prune.ts';
import { newJob } from '../../support/journal/samples.ts';

const START = new Date(2026, 4, 6, 7, 8, 9).getTime();
const JOB = '531d8edc-0000-4000-8000-000000000001';
const OTHER = '531d8e00-0000-4000-8000-000000000002';
const SINCE = { boot: 'boot-1', upMs: 5000 };
const REPORT = {
  status: JOB_STATUS.FAILED,
  buildLogs: 'image sha256:abc\n',
  stdout: `\u001b[2Jwipe\n${'x'.repeat(5000)}`,
  stderr: 'Traceback\n[sharedcloud-agent] ended with exit code 1\n',
  result: '',
} as const;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jobs-show-'));
});
afterEach(() => rm(dir, { recursive: true }));

const show = (...words: readonly string[]) =>
  runLine(['jobs', 'show', ...words, '--state-dir', dir], {}, [jobs]);

/** Fills the journal as an agent would, a second between any two steps, and keeps it open during `act`. */
async function whileRunning<T>(fill: (journal: SqliteJournal) => void, act: (journal: SqliteJournal) => T) {
  const state = openStateDir(dir);
  let now = START;
  const clock = { now: () => (now += 1000), monotonic: () => 0 };
  const journal = openJournal(state, 'http://127.0.0.1:1', clock);
  try {
    fill(journal);
    return await act(journal);
  } finally {
    journal.close();
    state.close();
  }
}

function claimed(journal: SqliteJournal, uuid: string): void {
  journal.insert({ ...newJob(uuid), functionName: `fn-${uuid.slice(0, 8)}` });
  journal.transition(uuid, { name: 'claimed' });
}

function finished(journal: SqliteJournal): void {
  claimed(journal, JOB);
  journal.transition(JOB, { name: 'starting', container: 'c1', since: SINCE });
  journal.transition(JOB, { name: 'running', container: 'c1', startedAt: START + 3500, since: SINCE });
  journal.transition(JOB, { name: 'finished', report: REPORT, durationMs: 1500 });
}

function reported(journal: SqliteJournal): void {
  finished(journal);
  journal.transition(JOB, { name: 'reported', status: JOB_STATUS.FAILED, durationMs: 1500, earned: 0 });
}

const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString();

describe('a job beside a running agent', () => {
  test('has its facts, times and history as JSON, and no output once it is delivered', async () => {
    const { exit, stdout, stderr } = await whileRunning(reported, () => show('531D8EDC', '--json'));
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain('Traceback');
    expect(JSON.parse(stdout)).toMatchObject({
      job: {
        job: JOB,
        run: 'run-1',
        function: 'fn-531d8edc',
        image: 'sha256:abc',
        offer: 'gpu:NVIDIA H100',
        instance: 'instance-1',
        slot: 'slot-1',
        gpu: 'GPU-1',
        broker: 'http://127.0.0.1:1/',
        askPrice: 0.25,
        timeoutMs: 60_000,
        container: 'c1',
        state: 'reported',
        outcome: 'failed',
        note: 'ended with exit code 1',
        sizes: { stdout: REPORT.stdout.length, stderr: REPORT.stderr.length, result: 0 },
        buildLogs: REPORT.buildLogs,
        report: null,
        earned: 0,
        claimedAt: at(1),
        startedAt: at(3.5),
        endedAt: at(5),
        history: [
          { at: at(1), state: 'claiming' },
          { at: at(2), state: 'claimed' },
          { at: at(3), state: 'starting', container: 'c1' },
          { at: at(4), state: 'running' },
          { at: at(5), state: 'finished', outcome: 'failed', durationMs: 1500 },
          { at: at(6), state: 'reported', earned: 0 },
        ],
      },
    });
  });

  test('has its energy, the cost of its power, and what is left', async () => {
    const energy = { joules: 7_200.04, idleJoules: 720, coveredMs: 1_500, ms: 1_500 };
    const fill = (journal: SqliteJournal): void => {
      const cost = { powerMicroDollars: 1_234, isCostEstimate: true };
      journal.energy.meterBy({ ended: () => ({ ...energy, isEstimate: true, ...cost }) });
      reported(journal);
    };
    const { stdout } = await whileRunning(fill, () => show(JOB, '--json'));
    expect(JSON.parse(stdout)).toMatchObject({
      job: {
        energyJoules: 7_200,
        idleJoules: 720,
        measuredMs: 1_500,
        isEnergyEstimate: true,
        powerCostMicroDollars: 1_234,
        isPowerCostEstimate: true,
        netMicroDollars: -1_234,
      },
    });
    const text = await show(JOB);
    expect(text.stdout).toContain('~2 Wh');
  });

  test('that ran before energy was measured has none that is known', async () => {
    const { stdout } = await whileRunning(reported, () => show(JOB, '--json'));
    expect(JSON.parse(stdout)).toMatchObject({
      job: { energyJoules: null, powerCostMicroDollars: null, netMicroDollars: null },
    });
  });

  test('has its whole report as JSON until that is delivered', async () => {
    const { stdout } = await whileRunning(finished, () => show(JOB, '--json'));
    expect(JSON.parse(stdout)).toMatchObject({ job: { report: { ...REPORT, status: 'failed' } } });
  });

  test('shows the beginning of its outputs, and nothing in them controls the terminal', async () => {
    const text = await whileRunning(finished, (journal) => {
      const record = journal.get(JOB);
      if (record === undefined) throw new Error('the job is not in the journal');
      const details = detailsOf(journal, slimOf(record), START);
      return detailsText({ details, report: REPORT }, aPage(40));
    });
    expect(text).not.toContain('\u001b');
    expect(text).toContain(String.raw`\u{1b}[2Jwipe`);
    expect(text).toContain('ended with exit code 1');
    expect(text.match(/x/g)?.length).toBeLessThan(2100);
    expect(text.split('\n').filter((line) => line.length > 40)).toEqual([]);
  });

  test('that was released and claimed again has both claims', async () => {
    const fill = (journal: SqliteJournal): void => {
      claimed(journal, JOB);
      journal.transition(JOB, { name: 'releasing', why: 'the engine is unreachable' });
      journal.transition(JOB, { name: 'released', why: 'the engine is unreachable' });
      claimed(journal, JOB);
    };
    const { stdout } = await whileRunning(fill, () => show(JOB, '--json'));
    expect(JSON.parse(stdout)).toMatchObject({
      job: {
        state: 'claimed',
        why: null,
        history: [
          { state: 'claiming' },
          { state: 'claimed' },
          { state: 'releasing', why: 'the engine is unreachable' },
          { state: 'released' },
          { state: 'claiming' },
          { state: 'claimed' },
        ],
      },
    });
  });
});

test('a claim by an agent that keeps no history has none of the times of an earlier claim', async () => {
  await whileRunning(reported, () => undefined);
  const db = new DatabaseSync(join(dir, 'journal.db'));
  db.exec(
    `UPDATE jobs SET claimed_at = claimed_at + 60000, state = 'claimed', detail = '{"name":"claimed"}'`,
  );
  db.close();
  const { stdout } = await show(JOB, '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    job: { state: 'claimed', startedAt: null, endedAt: null, note: null, sizes: null, container: null },
  });
});

describe('an id', () => {
  const both = (journal: SqliteJournal): void => {
    claimed(journal, JOB);
    claimed(journal, OTHER);
  };

  test('that several jobs begin with is JOB_AMBIGUOUS and names them', async () => {
    const { exit, stdout, stderr } = await whileRunning(both, () => show('531d8e'));
    expect([exit, stdout]).toEqual([1, '']);
    expect(stderr).toContain('JOB_AMBIGUOUS');
    for (const id of [JOB, OTHER]) expect(stderr).toContain(id);
  });

  test.each([['4'], ['%'], ['_31d8edc'], ["'; DROP TABLE jobs; --"], [`${JOB}0`]])(
    '%j is JOB_UNKNOWN',
    async (id) => {
      const { exit, stdout, stderr } = await whileRunning(both, () => show(id));
      expect([exit, stdout]).toEqual([1, '']);
      expect(stderr).toContain('JOB_UNKNOWN');
    },
  );

  test.each([
    [['show']],
    [['show', ' ']],
    [['show', 'a', 'b']],
    [['show', 'a', '--limit', '3']],
    [['sow', 'a']],
  ])('%j is an invalid command line', async (words) => {
    const { exit, stderr } = await runLine(['jobs', ...words, '--state-dir', dir], {}, [jobs]);
    expect(exit).toBe(2);
    expect(stderr).toContain('CONFIG_INVALID');
  });
});

describe('a journal', () => {
  test('of an agent that kept no history shows what it has', async () => {
    await whileRunning(finished, () => undefined);
    const db = new DatabaseSync(join(dir, 'journal.db'));
    db.exec('DROP TABLE job_history');
    db.close();
    const { exit, stdout } = await show(JOB, '--json');
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      job: { state: 'finished', report: { stderr: REPORT.stderr }, endedAt: at(5), history: [] },
    });
  });

  test('that is pruned keeps no history of the jobs that are gone', async () => {
    const left = await whileRunning(reported, (journal) => {
      claimed(journal, OTHER);
      prune(journal, START + 7000);
      return [journal.get(JOB), journal.events(JOB), journal.events(OTHER).length];
    });
    expect(left).toEqual([undefined, [], 2]);
  });
});
