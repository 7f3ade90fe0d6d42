import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobs } from '../../../src/cli/jobs/command.ts';
import { JOB_STATUS, type NewJob } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { runLine } from '../../support/cli/run.ts';

const CLAIMED_AT = new Date(2026, 4, 6, 7, 8, 9).getTime();
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jobs-'));
});

afterEach(() => rm(dir, { recursive: true }));

const list = (...more: readonly string[]) => runLine(['jobs', '--state-dir', dir, ...more], {}, [jobs]);

function newJob(uuid: string): NewJob {
  return {
    uuid,
    run: `run-${uuid}`,
    functionName: `fn-${uuid}`,
    offerKey: 'cpu',
    instance: 'i',
    slot: 'cpu:0',
    gpu: null,
    askPrice: 0.06,
    image: 'sha256:0',
    timeoutMs: 1000,
  };
}

/** Fills the journal as an agent would, and keeps it open as a running agent does during `act`. */
async function whileRunning<T>(fill: (journal: Journal) => void, act: () => Promise<T>): Promise<T> {
  const state = openStateDir(dir);
  const journal = openJournal(state, 'http://127.0.0.1:1', { now: () => CLAIMED_AT, monotonic: () => 0 });
  try {
    fill(journal);
    return await act();
  } finally {
    journal.close();
    state.close();
  }
}

function fillAll(journal: Journal): void {
  const report = {
    status: JOB_STATUS.FAILED,
    buildLogs: '',
    stdout: 'secret output',
    stderr: '',
    result: '',
  };
  const since = { boot: 'boot-1', upMs: 5000 };
  for (const uuid of ['paid', 'failed', 'lost', 'running', 'new']) journal.insert(newJob(uuid));
  for (const uuid of ['paid', 'failed', 'running']) {
    journal.transition(uuid, { name: 'claimed' });
    journal.transition(uuid, { name: 'starting', container: 'c', since });
    journal.transition(uuid, { name: 'running', container: 'c', startedAt: CLAIMED_AT, since });
  }
  const container = 'container-of-paid';
  const use = { job: 'paid', container, address: '172.18.0.2', startedAt: CLAIMED_AT };
  journal.recordNetworkUse({
    ...use,
    endedAt: CLAIMED_AT + 90_400,
    traffic: { sentBytes: 1_234_567, receivedBytes: 89 },
  });
  journal.transition('paid', { name: 'finished', report, durationMs: 90_400 });
  journal.transition('paid', {
    name: 'reported',
    status: JOB_STATUS.SUCCEEDED,
    durationMs: 90_400,
    earned: 0.0904,
  });
  journal.transition('failed', { name: 'finished', report, durationMs: 1234 });
  journal.transition('lost', { name: 'dropped', why: 'another was \u001b[2Jfaster' });
}

describe('beside a running agent', () => {
  test('the table shows every job, newest first, and what was earned', async () => {
    const { exit, stdout, stderr } = await whileRunning(fillAll, list);
    expect([exit, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^JOB +FUNCTION +STATE +DURATION +EARNED {2}WHEN$/);
    expect(lines[1]).toMatch(/^new +fn-new +claiming +2026-05-06 07:08$/);
    expect(lines[2]).toMatch(/^running +fn-running +running +\S+ +2026-05-06 07:08$/);
    expect(lines[3]).toMatch(/^lost +fn-lost +dropped: another was \\u\{1b\}\[2Jfaster +2026-05-06 07:08$/);
    expect(lines[4]).toMatch(/^failed +fn-failed +failed.* +1\.2s +2026/);
    expect(lines[5]).toMatch(/^paid +fn-paid +succeeded +1m30s +\$0\.0904 {2}2026/);
    expect(lines.slice(6).join('\n')).toContain('$0.0904');
  });

  test('JSON has the same, exactly and without the output of jobs', async () => {
    const { exit, stdout } = await whileRunning(fillAll, () => list('--json', '--limit', '10'));
    expect(exit).toBe(0);
    expect(stdout).not.toContain('secret output');
    expect(JSON.parse(stdout)).toMatchObject({
      jobs: [
        { job: 'new', state: 'claiming', outcome: null, why: null, durationMs: null, earned: null },
        { job: 'running', state: 'running', sentBytes: null, receivedBytes: null, address: null },
        { job: 'lost', state: 'dropped', why: 'another was \u001b[2Jfaster' },
        { job: 'failed', state: 'finished', outcome: 'failed', durationMs: 1234, earned: null },
        {
          job: 'paid',
          run: 'run-paid',
          function: 'fn-paid',
          offer: 'cpu',
          gpu: null,
          image: 'sha256:0',
          state: 'reported',
          outcome: 'succeeded',
          durationMs: 90_400,
          askPrice: 0.06,
          earned: 0.0904,
          sentBytes: 1_234_567,
          receivedBytes: 89,
          address: '172.18.0.2',
          claimedAt: new Date(CLAIMED_AT).toISOString(),
        },
      ],
    });
  });

  test('--limit shows the newest', async () => {
    const { stdout } = await whileRunning(fillAll, () => list('--limit', '1'));
    expect(stdout.split('\n')[1]).toMatch(/^new /);
    expect(stdout).not.toMatch(/^running /m);
  });
});

describe('where there is nothing to show', () => {
  test('a journal without jobs', async () => {
    const { exit, stdout } = await whileRunning(
      () => {},
      () => list('--json'),
    );
    expect([exit, JSON.parse(stdout)]).toEqual([0, { jobs: [] }]);
  });

  test('a state directory without a journal', async () => {
    const { exit, stdout, stderr } = await list();
    expect([exit, stdout]).toEqual([7, '']);
    expect(stderr).toMatch(/^error STATE_DIR_UNUSABLE: .*\n {2}hint: /);
    expect(stderr).toContain(dir);
  });

  test('no state directory', async () => {
    const { exit, stderr } = await runLine(['jobs'], { SHAREDCLOUD_STATE_DIR: join(dir, 'none') }, [jobs]);
    expect(exit).toBe(7);
    expect(stderr).toMatch(/^error STATE_DIR_UNUSABLE: .*\n {2}hint: /);
    expect(stderr).toContain(join(dir, 'none'));
  });
});

test.each([
  [[], '--destination'],
  [['--destination', 'example.com', '--at', '2026-11-26T14:03Z'], '--destination'],
  [['--destination', '203.0.113.10'], '--at'],
  [['--destination', '203.0.113.10', '--at', 'yesterday'], '--at'],
  [['--destination', '203.0.113.10', '--at', '2026-11-26T14:03Z', '--port', '70000'], '--port'],
] as const)('find %j is refused before anything is read, and names the flag %s', async (flags, named) => {
  const { exit, stderr } = await runLine(['jobs', 'find', ...flags, '--state-dir', join(dir, 'none')], {}, [
    jobs,
  ]);
  expect(exit).toBe(2);
  expect(stderr).toContain(named);
});

describe('a journal with more jobs than a part of the output', () => {
  const many = 2_500;
  const fill = (journal: Journal): void => {
    for (let n = 0; n < many; n += 1) journal.insert({ ...newJob(`job-${n}`), functionName: `fn-${n}` });
  };

  test('is shown whole under one title, with a total', async () => {
    const { stdout } = await whileRunning(fill, () => list('--limit', '1000000'));
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('JOB '))).toHaveLength(1);
    expect(lines.slice(1, -2).map((line) => line.split(/ +/)[0])).toEqual(
      Array.from({ length: many }, (_, n) => `job-${many - 1 - n}`),
    );
    expect(lines.at(-1)).toContain(`${many} jobs`);
  });

  test('is one document of JSON', async () => {
    const { stdout } = await whileRunning(fill, () => list('--limit', '1000000', '--json'));
    const document: unknown = JSON.parse(stdout);
    expect(document).toMatchObject({ jobs: { length: many } });
    expect(stdout).toBe(`${JSON.stringify(document, null, 2)}\n`);
  });

  test('without jobs the document has none', async () => {
    const { stdout } = await whileRunning(
      () => undefined,
      () => list('--json'),
    );
    expect(stdout).toBe(`${JSON.stringify({ jobs: [] }, null, 2)}\n`);
  });
});
