import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { expectWithin } from '../support/chaos/daemon.ts';
import {
  endBySignal,
  openDaemonHost,
  SLEEP,
  STUBBORN,
  UNTIL_FINISHED,
} from '../support/chaos/daemon-host.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import { describeDocker } from '../support/engine/docker.ts';

describeDocker('a daemon that is restarted', (engine) => {
  test('stops within a second; the next one adopts its jobs, whose deadlines count from their start', async () => {
    await using watch = await EngineWatch.open(engine);
    await using host = await openDaemonHost(engine, { SHAREDCLOUD_JOB_TIMEOUT: '7s' });
    const shortRun = host.addRun(UNTIL_FINISHED, 3);
    const longRun = host.addRun(SLEEP, 60);
    await using first = host.start();
    await host.untilIn('running', 2);
    expect(await endBySignal(first, 'SIGTERM')).toBe(0);
    expect((await host.containers()).map(({ State }) => State)).toEqual(['running', 'running']);
    // One job ends while nobody is there; the other goes on, and its time with it.
    const started = host.records().map(({ state }) => (state.name === 'running' ? state.startedAt : 0));
    await host.finish(host.jobsOf(shortRun)[0]?.uuid ?? '');
    await vi.waitFor(
      async () => expect((await host.containers()).map(({ State }) => State)).toContain('exited'),
      { timeout: 30_000, interval: 100 },
    );
    // Longer than a job may be ended late.
    await vi.waitFor(() => expect(Date.now() - Math.max(...started)).toBeGreaterThan(1_000), 10_000);
    await using second = host.start();
    await second.untilLogged({ event: 'job-adopted' }, 2);
    const suspendedMs = Date.now() - Math.max(...started);
    await host.untilIn('reported', 2);
    const [short] = host.jobsOf(shortRun);
    const [long] = host.jobsOf(longRun);
    expect(short).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '3' });
    expect(long).toMatchObject({ status: JOB_STATUS.TIMEOUT });
    const [ended] = host.records().filter(({ uuid }) => uuid === long?.uuid);
    const durationMs = ended?.state.name === 'reported' ? ended.state.durationMs : 0;
    expect(durationMs).toBeGreaterThanOrEqual(7_000);
    // Its time did not begin again with the second daemon: it would be longer by all the time between.
    expect(suspendedMs).toBeGreaterThan(1_000);
    expect(durationMs).toBeLessThan(suspendedMs + 7_000);
    for (const job of [short, long]) expect(await watch.startsOf(job?.uuid ?? '')).toBe(1);
    expect(host.reports).toHaveLength(2);
    await using drained = host.command('drain');
    expect(await drained.ended).toMatchObject({ code: 0, stderr: '' });
    expect((await second.ended).code).toBe(0);
    expect(await host.containers()).toEqual([]);
  });

  test('drains by a command that waits, and by no second one is made to give up', async () => {
    await using host = await openDaemonHost(engine, { SHAREDCLOUD_CPU_SLOTS: '1' });
    const run = host.addRun(UNTIL_FINISHED, 8, 9);
    await using agent = host.start();
    await host.untilIn('running', 1);
    await using refused = host.start();
    expect(await refused.ended).toMatchObject({ code: 7 });
    await using drain = host.command('drain');
    await agent.untilLogged({ event: 'signal-received', action: 'drain' });
    await using another = host.command('drain', '--json', '--no-wait');
    expect((await another.ended).code).toBe(0);
    expect(JSON.parse((await another.ended).stdout)).toMatchObject({
      ended: false,
      agent: { pid: agent.child.pid, phase: 'draining' },
      jobs: [{ state: 'running', function: 'sample' }],
    });
    await using impatient = host.command('drain');
    await vi.waitFor(() => expect(impatient.heard).toMatch(/draining.* 1 job /), 20_000);
    impatient.signal('SIGINT');
    const interrupted = await impatient.ended;
    expect(interrupted.code).toBe(130);
    expect(agent.child.exitCode).toBeNull();
    const [running] = host.records();
    await host.finish(running?.uuid ?? '');
    const { code } = await drain.ended;
    expect((await agent.ended).code).toBe(0);
    expect(code).toBe(0);
    const [slept, untouched] = host.jobsOf(run).toSorted((a, b) => b.status - a.status);
    expect(slept).toMatchObject({ uuid: running?.uuid, status: JOB_STATUS.SUCCEEDED });
    expect(untouched?.status).toBe(JOB_STATUS.CREATED);
    expect(host.reports).toHaveLength(1);
  });

  test('gives everything back at once by `drain --now`, and ends with 9', async () => {
    await using host = await openDaemonHost(engine);
    const run = host.addRun(STUBBORN, 60, 60);
    await using agent = host.start();
    await host.untilIn('running', 2);
    await using drain = host.command('drain', '--now');
    await agent.untilLogged({ event: 'signal-received', action: 'evict' });
    const began = performance.now();
    const drained = await drain.ended;
    expectWithin(began, 16_000);
    expect(drained.code).toBe(0);
    expect((await agent.ended).code).toBe(9);
    expect(host.jobsOf(run).map(({ status }) => status)).toEqual([JOB_STATUS.CREATED, JOB_STATUS.CREATED]);
    expect(host.records().map(({ state }) => state)).toEqual(
      [1, 2].map(() => ({ name: 'released', why: 'its owner took the machine back' })),
    );
    expect(host.reports).toEqual([]);
    expect(await host.containers()).toEqual([]);
  });

  test('ends at once by a third signal; what it ran is there for the next one, and `drain` says so', async () => {
    await using host = await openDaemonHost(engine, { SHAREDCLOUD_CPU_SLOTS: '1' });
    const run = host.addRun(STUBBORN, 60);
    await using first = host.start();
    await host.untilIn('running', 1);
    first.signal('SIGUSR1');
    await first.untilLogged({ event: 'signal-received', action: 'drain' });
    first.signal('SIGUSR1');
    await first.untilLogged({ event: 'signal-received', action: 'evict' });
    expect(await endBySignal(first, 'SIGTERM')).toBe(1);
    const [job] = host.jobsOf(run);
    await using nobody = host.command('drain', '--json');
    const refused = await nobody.ended;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(new RegExp(`AGENT_NOT_RUNNING.*${job?.uuid} \\(running\\)`));
    await using second = host.start();
    await second.untilLogged({ event: 'job-adopted' });
    second.signal('SIGUSR1');
    await second.untilLogged({ event: 'signal-received', action: 'drain' });
    expect(await endBySignal(second, 'SIGINT')).toBe(0);
    expect(host.jobsOf(run)[0]?.status).toBe(JOB_STATUS.IN_PROGRESS);
  });

  test('leaves the journal of a newer one as it is', async () => {
    await using host = await openDaemonHost(engine);
    await using first = host.start();
    await first.untilLogged({ event: 'offer-registered' });
    await endBySignal(first, 'SIGTERM');
    expect(await host.containers()).toEqual([]);
    const file = join(host.stateDir, 'journal.db');
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 999');
    db.close();
    const before = readFileSync(file);
    await using second = host.start();
    const refused = await second.ended;
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('JOURNAL_UNUSABLE');
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});
