import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { inSlices } from '../../../src/lib/slices.ts';
import { SqliteMarketHistory } from '../../../src/market-history/sqlite-market-history.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { describeMounts } from '../../support/disk/describe-disks.ts';
import { SmallDisk } from '../../support/disk/disks.ts';
import { type Call, faults } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const QUICK = `function handler(event) { return event[0] }`;
const MINUTE = 60_000;
const SIZE = { marketHistorySize: 500_000_000, settings: { pollIntervalMs: 10_000 } };
/** Of virtual time. */
const STEP_MS = 1_000;

/** A poll of the whole market, which offers do not make. */
const isWhole = ({ path, query }: Call): boolean => path === '/api/v1/runs' && !query.includes('instance=');

/** Lets time pass, in parts that are not too long for a condition. */
async function passMinutes(env: TestEnv, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    const until = performance.now() + MINUTE;
    await env.time.passUntil(() => performance.now() >= until, STEP_MS);
  }
}

/** The events of all warnings and errors but that this host has no GPU, in order. */
function warned(env: TestEnv): readonly unknown[] {
  return env.log
    .map((line): unknown => JSON.parse(line))
    .flatMap((line) => (line instanceof Object && 'level' in line && 'event' in line ? [line] : []))
    .filter(({ level }) => level === 'warn' || level === 'error')
    .map(({ event }) => event)
    .filter((event) => event !== 'cpu-jobs-only');
}

const isFailure = (env: TestEnv): boolean => logged(env.log, 'market-history-failed').length > 0;
const isResumed = (env: TestEnv): boolean => logged(env.log, 'market-history-resumed').length > 0;

/** Runs a job from the market to its report. */
async function work(env: TestEnv): Promise<string> {
  const run = env.addRun(QUICK, '((1,),)');
  await env.untilDone(run);
  return run;
}

/** The runs of the market history, which no agent has open. */
async function recordedIn(
  env: TestEnv,
  directory = join(env.directory, 'state'),
): Promise<readonly string[]> {
  const history = new SqliteMarketHistory({
    directory,
    broker: new URL(env.url).href,
    maxBytes: SIZE.marketHistorySize,
    onReplaced: (why) => {
      throw new Error(why);
    },
  });
  const { runs } = await inSlices(history.observed({ from: 0, until: Number.MAX_SAFE_INTEGER }, 10_000));
  history.close();
  return runs.map(({ run }) => run);
}

describe('a broker that answers to polls of the whole market', () => {
  test.each([400, 401, 403, 404])('%i: is not asked again, and jobs go on', async (status) => {
    await using env = await TestEnv.open();
    env.proxy.plan = (call) => (isWhole(call) ? faults.answer(status, '{"detail": "No."}') : undefined);
    const low = env.addRun(QUICK, '((1,),)', { bidPrice: 0.01 });
    await using agent = await env.start(SIZE);
    await env.time.passUntil(() => logged(env.log, 'market-poll-refused').length > 0, STEP_MS);
    const asked = env.proxy.calls.filter(isWhole).length;
    await passMinutes(env, 30);
    const run = env.addRun(QUICK, '((2,),)');
    await env.untilDone(run);
    expect(env.proxy.calls.filter(isWhole)).toHaveLength(asked);
    expect(asked).toBe(3);
    expect(logged(env.log, 'market-poll-refused')).toHaveLength(1);
    expect(warned(env)).toEqual(['market-poll-refused']);
    await agent.stop();
    expect(await recordedIn(env)).toContain(low);
  });
});

describeMounts(
  'a market history on a disk of its own',
  () => new SmallDisk(),
  () => {
    test('that is full from the start: says so once, jobs go on, and it begins when there is room', async () => {
      using disk = new SmallDisk();
      disk.fill();
      await using env = await TestEnv.open();
      await using agent = await env.start({ ...SIZE, marketHistoryDirectory: disk.path });
      await env.time.passUntil(() => isFailure(env), STEP_MS);
      await work(env);
      await passMinutes(env, 30);
      expect(warned(env)).toEqual(['market-history-failed']);
      const [failure] = logged(env.log, 'market-history-failed');
      expect(failure).toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
      expect(failure?.['hint']).toEqual(expect.any(String));
      disk.empty();
      await env.time.passUntil(() => isResumed(env), STEP_MS);
      const low = env.addRun(QUICK, '((1,),)', { bidPrice: 0.01 });
      await passMinutes(env, 2);
      await agent.stop();
      expect(await recordedIn(env, disk.path)).toContain(low);
    });

    test('that becomes full: says so once, jobs go on, and it goes on when there is room', async () => {
      using disk = new SmallDisk();
      await using env = await TestEnv.open();
      const before = env.addRun(QUICK, '((1,),)', { bidPrice: 0.01 });
      await using agent = await env.start({ ...SIZE, marketHistoryDirectory: disk.path });
      await passMinutes(env, 3);
      disk.fill();
      for (let at = 0; at < 1_000; at += 1) env.addRun(QUICK, '((1,),)', { bidPrice: 0.01 });
      await env.time.passUntil(() => isFailure(env), STEP_MS);
      await work(env);
      await passMinutes(env, 20);
      expect(warned(env)).toEqual(['market-history-failed']);
      disk.empty();
      await env.time.passUntil(() => isResumed(env), STEP_MS);
      await agent.stop();
      const recorded = await recordedIn(env, disk.path);
      expect(recorded).toContain(before);
      expect(recorded.length).toBeGreaterThan(1_000);
    });

    test.each(['there is none', 'there is one'])(
      'in a directory that is read-only while %s: says so once, jobs go on, and it begins when it can be written',
      async (what) => {
        using disk = new SmallDisk();
        await using env = await TestEnv.open();
        const directory = join(disk.path, 'history');
        mkdirSync(directory);
        if (what === 'there is one') {
          await using agent = await env.start({ ...SIZE, marketHistoryDirectory: directory });
          await passMinutes(env, 2);
          await agent.stop();
          expect(existsSync(join(directory, 'market.db'))).toBe(true);
        }
        disk.remount('ro');
        await using agent = await env.start({ ...SIZE, marketHistoryDirectory: directory });
        await env.time.passUntil(() => isFailure(env), STEP_MS);
        await work(env);
        await passMinutes(env, 20);
        expect(warned(env)).toEqual(['market-history-failed']);
        const low = env.addRun(QUICK, '((1,),)', { bidPrice: 0.01 });
        disk.remount('rw');
        await env.time.passUntil(() => isResumed(env), STEP_MS);
        await agent.stop();
        expect(await recordedIn(env, directory)).toContain(low);
      },
    );
  },
);

test.each([
  ['is damaged', (file: string) => writeFileSync(file, 'x'.repeat(10_000))],
  [
    'is of a newer agent',
    (file: string) => {
      using db = new DatabaseSync(file);
      db.exec('CREATE TABLE t (x); PRAGMA application_id = 0x53436d68; PRAGMA user_version = 99');
    },
  ],
] as const)('where its file %s a new one is begun, says so once, and jobs go on', async (_what, spoil) => {
  await using env = await TestEnv.open();
  const directory = join(env.directory, 'history');
  mkdirSync(directory);
  spoil(join(directory, 'market.db'));
  await using agent = await env.start({ ...SIZE, marketHistoryDirectory: directory });
  await work(env);
  await passMinutes(env, 3);
  const low = env.addRun(QUICK, '((1,),)', { bidPrice: 0.01 });
  await passMinutes(env, 2);
  await work(env);
  await agent.stop();
  expect(warned(env)).toEqual(['market-history-replaced']);
  expect(readdirSync(directory)).toContain('market.db.old');
  expect(await recordedIn(env, directory)).toContain(low);
});
