import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { INSTANCE_TYPE } from '../../src/embedded/broker/store/rows.ts';
import { type DaemonHost, openDaemonHost, SLEEP, UNTIL_FINISHED } from '../support/chaos/daemon-host.ts';
import type { AgentProcess } from '../support/e2e/agent-process.ts';
import { TOKEN } from '../support/e2e/scenario.ts';
import { describeDocker } from '../support/engine/docker.ts';
import { type Fault, faults, HttpProxy, isJobChange } from '../support/faults/http-proxy.ts';
import { type NetworkCondition, TcpProxy } from '../support/faults/tcp-proxy.ts';

const LONG = 40_000;

/** A line of the log for each delivery of a report that failed. */
const NOT_DELIVERED = { tries: /^\d+$/ };

/** Waits until something holds; for what the broker or the engine shows. */
const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: LONG, interval: 50 });

/** A daemon behind a line that may fail, to a broker that may fail. */
async function openLine(host: DaemonHost) {
  const front = await HttpProxy.open(host.url);
  const proxy = await TcpProxy.open(front.url);
  const start = (): AgentProcess =>
    host.start({ SHAREDCLOUD_BROKER_URL: proxy.url, SHAREDCLOUD_LOG_LEVEL: 'debug' });
  return {
    front,
    proxy,
    start,
    close: async () => {
      await proxy[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
    },
  };
}
type Line = Awaited<ReturnType<typeof openLine>>;

/** Every job of these runs, once each. */
const jobsIn = (host: DaemonHost, ...runs: readonly string[]): readonly string[] =>
  runs.flatMap((run) => host.jobsOf(run).map(({ uuid }) => uuid)).toSorted();

const reportsSince = (host: DaemonHost, count: number): readonly string[] =>
  host.reports
    .slice(count)
    .map(({ job }) => job)
    .toSorted();

type Way = {
  readonly way: string;
  readonly away: (line: Line) => Promise<void> | void;
  /** Whether the broker takes the reports all the same. */
  readonly taken?: true;
};

const allCalls =
  (fault: Fault) =>
  (line: Line): void => {
    line.front.plan = () => fault;
  };

/** How the broker goes away. */
const WAYS: readonly Way[] = [
  ...(['refuse', 'blackhole', 'reset'] as const satisfies readonly NetworkCondition[]).map(
    (condition): Way => ({ way: `its line: ${condition}`, away: (line) => line.proxy.set(condition) }),
  ),
  { way: 'its line: cut midway', away: (line) => line.proxy.set('cut-midway'), taken: true },
  { way: '503', away: allCalls(faults.answer(503)) },
  { way: '429 with Retry-After', away: allCalls(faults.tooMany(1)) },
  { way: '200 with a web page', away: allCalls(faults.html) },
  { way: 'answers cut in half', away: allCalls(faults.cutMidway), taken: true },
  {
    way: 'answers to reports lost after they took effect',
    away: (line) => {
      line.front.plan = (call) => (isJobChange(call) ? faults.cutAfter : undefined);
    },
    taken: true,
  },
];

describeDocker('a broker that goes away while jobs run', (engine) => {
  describe('in whatever way', () => {
    let host: DaemonHost;
    let line: Line;
    let agent: AgentProcess;

    beforeAll(async () => {
      host = await openDaemonHost(engine);
      line = await openLine(host);
      agent = line.start();
    });

    afterAll(async () => {
      await agent[Symbol.asyncDispose]();
      await line.close();
      await host[Symbol.asyncDispose]();
    });

    test.each(WAYS)(
      '$way: jobs run on, reports wait and are taken once, claims resume',
      async ({ away, taken }) => {
        const before = host.reports.length;
        const run = host.addRun(UNTIL_FINISHED, 1, 2);
        await host.untilIn('running', 2);
        const failedBefore = agent.logged(NOT_DELIVERED).length;
        const swallowedBefore = line.proxy.swallowed;
        await away(line);
        for (const job of jobsIn(host, run)) await host.finish(job);
        await host.untilIn('finished', 2);
        // Claims rest as well.
        const later = host.addRun(SLEEP, 0);
        // In the dark a call fails only after half a minute; that it was sent must do.
        await until(() =>
          expect(
            agent.logged(NOT_DELIVERED).length > failedBefore || line.proxy.swallowed > swallowedBefore,
          ).toBe(true),
        );
        if (taken === undefined) expect(reportsSince(host, before)).toEqual([]);
        else await until(() => expect(reportsSince(host, before)).toEqual(jobsIn(host, run)));
        line.front.plan = () => undefined;
        await line.proxy.set('pass');
        await until(() => expect(reportsSince(host, before)).toEqual(jobsIn(host, run, later)));
        await host.untilIn('finished', 0);
        expect(host.jobsOf(run).map(({ status, result }) => [status, result])).toEqual([
          [JOB_STATUS.SUCCEEDED, '1'],
          [JOB_STATUS.SUCCEEDED, '2'],
        ]);
        expect(host.jobsOf(later)[0]?.status).toBe(JOB_STATUS.SUCCEEDED);
        expect(host.records().map(({ state }) => state.name)).not.toContain('dropped');
      },
    );

    test('what waited comes spread over time, few at once', async () => {
      const crowd = await openDaemonHost(engine, { SHAREDCLOUD_CPU_SLOTS: '6' });
      const wire = await openLine(crowd);
      const daemon = wire.start();
      try {
        const run = crowd.addRun(UNTIL_FINISHED, 1, 2, 3, 4, 5, 6);
        await crowd.untilIn('running', 6);
        await wire.proxy.set('refuse');
        await Promise.all(jobsIn(crowd, run).map((job) => crowd.finish(job)));
        await crowd.untilIn('finished', 6);
        await daemon.untilLogged(NOT_DELIVERED, 6);
        await wire.proxy.set('pass');
        await until(() => expect(crowd.reports).toHaveLength(6));
        const times = crowd.reports.map(({ at }) => at);
        expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300);
        expect(reportsSince(crowd, 0)).toEqual(jobsIn(crowd, run));
      } finally {
        await daemon[Symbol.asyncDispose]();
        await wire.close();
        await crowd[Symbol.asyncDispose]();
      }
    });
  });

  test('through a kill -9 meanwhile, too', async () => {
    await using host = await openDaemonHost(engine);
    const line = await openLine(host);
    await using doomed = line.start();
    const run = host.addRun(UNTIL_FINISHED, 1, 2);
    await host.untilIn('running', 2);
    const [first = '', second = ''] = jobsIn(host, run);
    await line.proxy.set('blackhole');
    await host.finish(first);
    await host.untilIn('finished', 1);
    doomed.signal('SIGKILL');
    await doomed.ended;
    await using next = line.start();
    await next.untilLogged({ event: 'job-adopted' });
    await host.finish(second);
    await host.untilIn('finished', 2);
    expect(host.reports).toEqual([]);
    await line.proxy.set('pass');
    await host.untilIn('reported', 2);
    expect(reportsSince(host, 0)).toEqual(jobsIn(host, run));
    await line.close();
  });

  test('a token that is revoked: jobs run on; with another one in the file all goes on within seconds', async () => {
    await using host = await openDaemonHost(engine);
    await using agent = host.start();
    const run = host.addRun(UNTIL_FINISHED, 1);
    await host.untilIn('running', 1);
    const fresh = `${TOKEN}-new`;
    host.store.accounts.add(randomUUID(), { username: 'provider', password: 'p', token: fresh, balance: 0 });
    await host.finish(jobsIn(host, run)[0] ?? '');
    await host.untilIn('finished', 1);
    await agent.untilLogged({ code: 'BROKER_UNAUTHORIZED' });
    expect(host.reports).toEqual([]);
    const later = host.addRun(SLEEP, 0);
    const file = host.env.SHAREDCLOUD_TOKEN_FILE;
    await writeFile(`${file}.new`, `${fresh}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    const replaced = performance.now();
    await host.untilIn('reported', 2);
    // The broker itself is asked again once a minute with a token that it refuses.
    expect(performance.now() - replaced).toBeLessThan(30_000);
    expect(reportsSince(host, 0)).toEqual(jobsIn(host, run, later));
    expect(agent.said).not.toContain(TOKEN);
  });
});

describeDocker('a broker with leases of two seconds', (engine) => {
  test('a job whose run is deleted is stopped; a claim that nobody here knows of is released', async () => {
    await using host = await openDaemonHost(engine, { SHAREDCLOUD_CPU_SLOTS: '1' }, { leaseSeconds: 2 });
    const released: string[] = [];
    host.store.onEvent((event) => void (event.kind === 'released' && released.push(event.job.uuid)));
    await using agent = host.start();
    const run = host.addRun(SLEEP, 60);
    await host.untilIn('running', 1);
    const [instance] = host.store.instances.all();
    const lost = jobsIn(host, host.addRun(SLEEP, 60))[0] ?? '';
    await claim(host, lost, instance?.uuid ?? '');
    await until(() => expect(released).toEqual([lost]));
    host.store.deleteRun(run, { evenInProgress: true });
    await agent.untilLogged({ event: 'job-cancelled' });
    await host.untilIn('dropped', 1);
    expect(host.reports).toEqual([]);
  });

  test('a daemon that stood still beyond its lease stops its container when it goes on, and reports nothing', async () => {
    await using host = await openDaemonHost(engine, { SHAREDCLOUD_CPU_SLOTS: '1' }, { leaseSeconds: 2 });
    const other = host.store.addInstance({
      name: 'another host',
      type: INSTANCE_TYPE.CPU,
      gpu: null,
      askPrice: 0.1,
      maxNumParallelJobs: 1,
    });
    await using agent = host.start();
    const run = host.addRun(SLEEP, 60);
    await host.untilIn('running', 1);
    const [job = ''] = jobsIn(host, run);
    agent.signal('SIGSTOP');
    const stoodStill = performance.now();
    await until(() => expect(host.jobsOf(run)[0]?.status).toBe(JOB_STATUS.CREATED));
    await claim(host, job, other);
    // The other host is alive, and keeps its lease.
    const alive = setInterval(() => host.store.market.seen(host.store.instances.get(other)), 300);
    onTestFinished(() => clearInterval(alive));
    // Longer than what passes for a busy host, by a good part.
    await until(() => expect(performance.now() - stoodStill).toBeGreaterThan(8_000));
    agent.signal('SIGCONT');
    await agent.untilLogged({ event: 'job-cancelled' });
    expect(agent.logged({ suspendedMs: /^\d+/ })).toHaveLength(1);
    expect(await host.containers()).toEqual([]);
    expect(host.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.IN_PROGRESS, instance: other });
    expect(host.reports).toEqual([]);
  });
});

/** Claims a job in the name of an instance, by the broker's API. */
async function claim(host: DaemonHost, job: string, instance: string): Promise<void> {
  const response = await fetch(`${host.url}/api/v1/jobs/${job}/`, {
    method: 'PATCH',
    headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: JOB_STATUS.IN_PROGRESS, instance }),
  });
  expect(response.status).toBe(200);
}
