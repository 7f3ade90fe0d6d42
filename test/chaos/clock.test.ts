import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { openDaemonHost, SLEEP, UNTIL_FINISHED } from '../support/chaos/daemon-host.ts';
import { FakeClock, findLibFaketime } from '../support/chaos/fake-clock.ts';
import { otherBoot } from '../support/chaos/other-boot.ts';
import { describeDocker } from '../support/engine/docker.ts';
import { TcpProxy } from '../support/faults/tcp-proxy.ts';

const library = findLibFaketime();
/** In CI what is missing fails, so that it cannot pass for a green run. */
const may = process.env['CI'] === 'true';
const noClock = library === undefined && !may;
const noRoot = process.getuid?.() !== 0 && !may;

const TIMEOUT_MS = 12_000;
const settings = { SHAREDCLOUD_JOB_TIMEOUT: `${TIMEOUT_MS}ms` };

/** How long the journal says that a job ran, in milliseconds, and what it earned; once it was reported. */
const account = (host: Awaited<ReturnType<typeof openDaemonHost>>, job: string | undefined) => {
  const state = host.records().find(({ uuid }) => uuid === job)?.state;
  if (state?.name !== 'reported') throw new Error(`job ${job} is not reported`);
  return state;
};

describeDocker('a host whose clock is set', (engine) => {
  test.skipIf(noClock)(
    'a day forth and then back while jobs run: deadlines, durations and pay stay (needs faketime)',
    async () => {
      await using host = await openDaemonHost(engine, settings);
      const clock = new FakeClock(library ?? '', host.directory);
      await clock.set(0);
      await using agent = host.start(clock.env);
      const quick = host.addRun(UNTIL_FINISHED, 1);
      const endless = host.addRun(SLEEP, 300);
      await host.untilIn('running', 2);
      await clock.set(1);
      const [finished] = host.jobsOf(quick);
      // What the daemon does next, it does by the new clock: it renews its leases, looks, and sees this job end.
      await host.finish(finished?.uuid ?? '');
      await host.untilIn('reported', 1);
      expect(host.jobsOf(quick)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '1' });
      await clock.set(-1);
      await host.untilIn('reported', 2);
      const [slept] = host.jobsOf(endless);
      expect(slept?.status).toBe(JOB_STATUS.TIMEOUT);
      const short = account(host, finished?.uuid);
      const long = account(host, slept?.uuid);
      expect(short.durationMs).toBeLessThan(60_000);
      expect(long.durationMs).toBeGreaterThanOrEqual(TIMEOUT_MS);
      expect(long.durationMs).toBeLessThan(60_000);
      for (const { earned } of [short, long]) {
        expect(earned).toBeGreaterThan(0);
        expect(earned).toBeLessThan(0.2);
      }
      expect(agent.logged({ suspendedMs: /^\d+/ })).toEqual([]);
      expect(agent.child.exitCode).toBeNull();
    },
  );

  test.skipIf(noClock)(
    'two days back between two daemons: the deadline stays, and what waits stays (needs faketime)',
    async () => {
      await using host = await openDaemonHost(engine, settings);
      const clock = new FakeClock(library ?? '', host.directory);
      await using line = await TcpProxy.open(host.url);
      const env = { ...clock.env, SHAREDCLOUD_BROKER_URL: line.url, SHAREDCLOUD_KEEP_HISTORY: '1h' };
      await clock.set(1);
      await using first = host.start(env);
      const quick = host.addRun(UNTIL_FINISHED, 1);
      const endless = host.addRun(SLEEP, 300);
      await host.untilIn('running', 2);
      const started = performance.now();
      await line.set('refuse');
      await host.finish(host.jobsOf(quick)[0]?.uuid ?? '');
      await host.untilIn('finished', 1);
      first.signal('SIGTERM');
      expect((await first.ended).code).toBe(0);
      // Old jobs leave the journal an hour after their end; the report that waits is none of them by any clock.
      await clock.set(400);
      await using passing = host.start(env);
      await passing.untilLogged({ event: 'job-adopted' });
      passing.signal('SIGTERM');
      expect((await passing.ended).code).toBe(0);
      await clock.set(-1);
      await using second = host.start(env);
      await second.untilLogged({ event: 'job-adopted' });
      const suspendedMs = performance.now() - started;
      await line.set('pass');
      await host.untilIn('reported', 2);
      expect(host.jobsOf(quick)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '1' });
      const [slept] = host.jobsOf(endless);
      expect(slept?.status).toBe(JOB_STATUS.TIMEOUT);
      const { durationMs } = account(host, slept?.uuid);
      expect(durationMs).toBeGreaterThanOrEqual(TIMEOUT_MS);
      // Had its time begun again with the second daemon, it would have run for longer by all the time between.
      expect(durationMs).toBeLessThan(suspendedMs + TIMEOUT_MS);
      expect(host.reports).toHaveLength(2);
    },
  );
});

describeDocker('a host that was rebooted', (engine) => {
  test.skipIf(noRoot)(
    'what had succeeded is reported, what ran goes back to the market and is no failure (needs root)',
    async () => {
      await using host = await openDaemonHost(engine);
      await using line = await TcpProxy.open(host.url);
      const env = { SHAREDCLOUD_BROKER_URL: line.url };
      const released: string[] = [];
      host.store.onEvent((event) => void (event.kind === 'released' && released.push(event.job.uuid)));
      await using first = host.start(env);
      const done = host.addRun(UNTIL_FINISHED, 1);
      const ran = host.addRun(SLEEP, 300);
      await host.untilIn('running', 2);
      const [succeeded] = host.jobsOf(done);
      const [running] = host.jobsOf(ran);
      await line.set('refuse');
      await host.finish(succeeded?.uuid ?? '');
      await host.untilIn('finished', 1);
      // The power goes: the daemon is gone at once, and so is what ran.
      first.signal('SIGKILL');
      await first.ended;
      await (await host.containerOf(running?.uuid ?? '')).kill();
      await line.set('pass');
      await using second = host.start(env, await otherBoot(host.directory));
      await second.untilLogged({ event: 'job-release-queued', job: running?.uuid });
      await vi.waitFor(() => expect(released).toEqual([running?.uuid]), { timeout: 20_000, interval: 50 });
      await vi.waitFor(() => expect(host.reports).toHaveLength(1), { timeout: 20_000, interval: 50 });
      expect(host.jobsOf(done)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '1' });
      expect(host.reports.map(({ job }) => job)).toEqual([succeeded?.uuid]);
    },
  );
});
