import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import {
  allDone,
  expectWithin,
  IN_BACKOFF,
  PAUSED,
  RESUMED,
  RETRIED,
  seen,
  startDaemon,
  watchBroker,
} from '../support/chaos/daemon.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import { describeDisks } from '../support/disk/describe-disks.ts';
import { readOnlyOver, SickDisk, SmallDisk } from '../support/disk/disks.ts';
import { addRun, HELLO_PYTHON, openScenario } from '../support/e2e/scenario.ts';
import { PYTHON } from '../support/engine/docker.ts';
import { faults, HttpProxy } from '../support/faults/http-proxy.ts';

/** Prints a megabyte, waits, and returns what it was given. */
const BIG = `import time\ndef handler(event):\n    print('x' * 1000000)\n    time.sleep(event[1])\n    return event[0]\n`;
const SLOW = `import time\ndef handler(event):\n    time.sleep(event[1])\n    return event[0]\n`;

const stateDir = (disk: { readonly path: string }) => join(disk.path, 'state');
const onDisk = (disk: { readonly path: string }, more: Readonly<Record<string, string>> = {}) => ({
  SHAREDCLOUD_STATE_DIR: stateDir(disk),
  SHAREDCLOUD_CPU_SLOTS: '2',
  ...more,
});

/** The states of all jobs in the journal, oldest first; fails where SQLite finds anything wrong with it. */
function statesIn(disk: { readonly path: string }): readonly unknown[] {
  const db = new DatabaseSync(join(stateDir(disk), 'journal.db'), { readOnly: true });
  try {
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    return db
      .prepare('SELECT state FROM jobs ORDER BY seq')
      .all()
      .map(({ state }) => state);
  } finally {
    db.close();
  }
}

/** Waits until the journal has it that every job is reported. */
const settled = (disk: { readonly path: string }): Promise<void> =>
  vi.waitFor(() => expect(new Set(statesIn(disk))).toEqual(new Set(['reported'])), 60_000);

/** Does something while nothing can be written in that directory. */
async function whileCovered<T>(directory: string, work: () => Promise<T>): Promise<T> {
  using _lid = readOnlyOver(directory);
  return await work();
}

describeDisks(
  'a state directory on a disk of 5 MB',
  () => new SmallDisk(),
  (engine) => {
    test('is full before a claim: claims stop, logged once, and go on within seconds of there being room', async () => {
      using disk = new SmallDisk();
      await using set = await openScenario(engine.host, onDisk(disk));
      const first = addRun(set.broker, PYTHON, HELLO_PYTHON, '((0,),)');
      await using front = await HttpProxy.open(set.url);
      const env = { ...set.env, SHAREDCLOUD_BROKER_URL: front.url };
      await using agent = await startDaemon(env);
      await allDone(set.broker, first);
      disk.fill();
      const heard = watchBroker(set.broker);
      const second = addRun(set.broker, PYTHON, HELLO_PYTHON, '((1,), (2,), (3,))');
      await agent.untilLogged(PAUSED);
      const third = await seen(front, () => addRun(set.broker, PYTHON, HELLO_PYTHON, '((4,),)'));
      // What was on its way when the disk was found full has gone back; nothing is claimed since.
      const [late] = set.broker.store.jobsOf(third);
      expect(heard).not.toContain(`claimed ${late?.uuid}`);
      disk.empty();
      const room = performance.now();
      await agent.untilLogged(RESUMED);
      expectWithin(room, 5_000);
      await allDone(set.broker, second);
      await allDone(set.broker, third);
      expect(agent.logged(PAUSED)).toHaveLength(1);
      expect(agent.logged(IN_BACKOFF)).toEqual([]);
      await settled(disk);
      agent.signal('SIGTERM');
      expect((await agent.ended).code).toBe(0);
    });

    test.each(['lives on', 'is killed meanwhile'])(
      'is full while jobs run whose reports are big: the daemon %s, and each is started and reported once',
      async (daemon) => {
        using disk = new SmallDisk();
        await using set = await openScenario(engine.host, onDisk(disk));
        await using watch = await EngineWatch.open(engine);
        // The second starts a second after the first, and both run for long enough that neither has ended then.
        const run = addRun(set.broker, PYTHON, BIG, "(('a', 6), ('b', 7))");
        const heard = watchBroker(set.broker);
        await using agent = await startDaemon(set.env);
        await agent.untilLogged({ event: 'job-started' }, 2);
        disk.fill();
        await agent.untilLogged(PAUSED);
        const lines = (): number => agent.said.split('\n').length;
        const spoken = lines();
        // Both have ended, and neither report can be written down.
        await agent.untilLogged(RETRIED, 4);
        expect(lines() - spoken).toBeLessThan(12);
        if (daemon === 'is killed meanwhile') {
          agent.signal('SIGKILL');
          await agent.ended;
        }
        disk.empty();
        await using second = daemon === 'lives on' ? undefined : await startDaemon(set.env);
        await allDone(set.broker, run);
        const jobs = set.broker.store.jobsOf(run);
        expect(jobs.map(({ result }) => result)).toEqual(['a', 'b']);
        for (const { stdout, uuid } of jobs) {
          expect(stdout).toBe(`${'x'.repeat(1_000_000)}\n`);
          expect(await watch.startsOf(uuid)).toBe(1);
          expect(heard.filter((what) => what === `reported ${uuid}`)).toHaveLength(1);
        }
        const last = second ?? agent;
        await settled(disk);
        last.signal('SIGTERM');
        expect((await last.ended).code).toBe(0);
        expect(statesIn(disk)).toHaveLength(2);
      },
    );

    test('is full when the broker takes a report: it is sent once, and settled when there is room', async () => {
      using disk = new SmallDisk();
      await using set = await openScenario(engine.host, onDisk(disk));
      await using front = await HttpProxy.open(set.url);
      let reports = 0;
      front.plan = ({ count, method, path }) => {
        // The first such call is the claim.
        if (method !== 'PATCH' || !path.includes('/jobs/') || count === 1) return undefined;
        // Not before the job's files are gone, whose room would do.
        if (readdirSync(join(stateDir(disk), 'jobs')).length > 0) return faults.serverError;
        reports += 1;
        if (reports === 1) disk.fill();
        return undefined;
      };
      const run = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('a',),)");
      await using agent = await startDaemon({ ...set.env, SHAREDCLOUD_BROKER_URL: front.url });
      await allDone(set.broker, run);
      await agent.untilLogged(PAUSED);
      expect(statesIn(disk)).toEqual(['finished']);
      disk.empty();
      await settled(disk);
      await agent.untilLogged(RESUMED);
      expect(reports).toBe(1);
    });

    test('falls below --min-free-disk: claims stop before anything fails, what runs goes on', async () => {
      using disk = new SmallDisk();
      const env = onDisk(disk, { SHAREDCLOUD_MIN_FREE_DISK: '1 MB' });
      await using set = await openScenario(engine.host, env);
      const heard = watchBroker(set.broker);
      const run = addRun(set.broker, PYTHON, SLOW, "(('a', 2),)");
      await using agent = await startDaemon(set.env);
      await agent.untilLogged({ event: 'job-started' });
      disk.fill(500_000);
      const second = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('b',),)");
      await agent.untilLogged({ ...PAUSED, blockedBy: ['disk'] });
      await allDone(set.broker, run);
      expect(heard.filter((what) => what.startsWith('claimed'))).toHaveLength(1);
      disk.empty();
      const room = performance.now();
      await agent.untilLogged(RESUMED);
      expectWithin(room, 5_000);
      await allDone(set.broker, second);
      expect(agent.logged(RETRIED)).toHaveLength(0);
    });
  },
);

describeDisks(
  'a state directory in which nothing can be made',
  () => new SmallDisk(),
  (engine) => {
    test('has no place for jobs’ files: claims stop, nothing is FAILED, and they go on when they can', async () => {
      using disk = new SmallDisk();
      await using set = await openScenario(engine.host, onDisk(disk));
      const first = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('a',),)");
      await using agent = await startDaemon(set.env);
      await allDone(set.broker, first);
      const heard = watchBroker(set.broker);
      const second = await whileCovered(join(stateDir(disk), 'jobs'), async () => {
        const run = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('b',), ('c',))");
        await agent.untilLogged(PAUSED);
        return run;
      });
      await agent.untilLogged(RESUMED);
      await allDone(set.broker, second);
      expect(agent.logged(PAUSED)).toHaveLength(1);
      expect(agent.logged(IN_BACKOFF)).toEqual([]);
      // One for each job; what else was claimed went back before it ran.
      expect(heard.filter((what) => what.startsWith('reported'))).toHaveLength(2);
    });
  },
);

describeDisks(
  'a state directory on a file system that gives up',
  () => new SickDisk(),
  (engine) => {
    test('what runs ends, its report is kept by its container and delivered after the repair', async () => {
      using disk = new SickDisk();
      await using set = await openScenario(engine.host, onDisk(disk));
      await using watch = await EngineWatch.open(engine);
      const heard = watchBroker(set.broker);
      const run = addRun(set.broker, PYTHON, SLOW, "(('a', 2),)");
      await using agent = await startDaemon(set.env);
      await agent.untilLogged({ event: 'job-started' });
      disk.failWrites();
      const second = addRun(set.broker, PYTHON, HELLO_PYTHON, "(('b',),)");
      await agent.untilLogged(PAUSED);
      await agent.untilLogged(RETRIED);
      agent.signal('SIGTERM');
      const { code, stderr } = await agent.ended;
      expect({ code, wrong: stderr.includes('INTERNAL') }).toEqual({ code: 0, wrong: false });
      await disk.repair();
      await using again = await startDaemon(set.env);
      await allDone(set.broker, run);
      await allDone(set.broker, second);
      const [job] = set.broker.store.jobsOf(run);
      expect(job?.result).toBe('a');
      expect(await watch.startsOf(job?.uuid ?? '')).toBe(1);
      expect(heard.filter((what) => what === `reported ${job?.uuid}`)).toHaveLength(1);
      await settled(disk);
      again.signal('SIGTERM');
      expect((await again.ended).code).toBe(0);
      expect(statesIn(disk)).toHaveLength(2);
    });
  },
);
