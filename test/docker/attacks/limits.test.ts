import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { ATTACKERS, FORGER, INNOCENT, innocentResult } from '../../support/attacks/attackers.ts';
import { openDaemonHost } from '../../support/chaos/daemon-host.ts';
import { EngineWatch } from '../../support/chaos/engine-watch.ts';
import { describeDocker } from '../../support/engine/docker.ts';

/** So many innocent jobs come beside the others. */
const INNOCENTS = [1, 2, 3, 4, 5, 6];

/** The daemon renews its leases three times within one: where it is kept from that, the broker takes its jobs away. */
const LEASE_SECONDS = 60;

const SETTINGS = {
  SHAREDCLOUD_CPU_SLOTS: '7',
  SHAREDCLOUD_JOB_MEMORY: '256 MB',
  SHAREDCLOUD_JOB_CPUS: '0.25',
  SHAREDCLOUD_JOB_DISK: '200 MB',
  SHAREDCLOUD_JOB_TIMEOUT: '25s',
};

describeDocker('a host that is attacked in every way at once', (engine) => {
  test('ends each attack with its reason, and innocent jobs beside them notice nothing', async () => {
    await using watch = await EngineWatch.open(engine);
    await using host = await openDaemonHost(engine, SETTINGS, { leaseSeconds: LEASE_SECONDS });
    const { store } = host;
    const taken: string[] = [];
    store.onEvent((event) => {
      if (event.kind === 'expired' || event.kind === 'released')
        taken.push(`${event.kind} ${event.job.uuid}`);
    });
    const attacks = Object.entries(ATTACKERS).map(([name, attacker]) => ({
      name,
      ...attacker,
      run: host.addRun(attacker.code, 1),
    }));
    const innocents = host.addRun(INNOCENT, ...INNOCENTS);
    const forger = host.addRun(FORGER, 17);
    await using agent = host.start();
    await agent.untilLogged({ event: 'job-started' });
    const all = (): number => store.market.jobs.all().filter(({ finishedAt }) => finishedAt !== null).length;
    await vi.waitFor(() => expect(all()).toBeGreaterThan(3), { timeout: 90_000, interval: 100 });
    expect(await host.command('health').ended).toMatchObject({ code: 0 });
    await vi.waitFor(() => expect(all()).toBe(attacks.length + INNOCENTS.length + 1), {
      timeout: 500_000,
      interval: 100,
    });
    const nameOf = (status?: number): string | undefined =>
      Object.entries(JOB_STATUS).find(([, value]) => value === status)?.[0];
    const contained = attacks.map(({ name, run, says, status }) => {
      const [job] = host.jobsOf(run);
      const word = nameOf(job?.status);
      const isSo = status.some((one) => one === word) && says.test(job?.stderr ?? '');
      return isSo ? `${name}: so` : `${name}: ${word}, ${job?.stderr.slice(-300)}`;
    });
    expect(contained).toEqual(attacks.map(({ name }) => `${name}: so`));
    expect(host.jobsOf(innocents).map(({ result }) => result)).toEqual(INNOCENTS.map(innocentResult));
    expect(host.jobsOf(innocents).filter(({ cost }) => cost === null || cost <= 0)).toEqual([]);
    expect(host.jobsOf(forger)).toMatchObject([{ status: JOB_STATUS.SUCCEEDED, result: '17' }]);
    expect(taken).toEqual([]);
    // The engine takes its time over a hundred thousand directories, and an agent that drains does not wait for that.
    await vi.waitFor(
      async () => {
        expect(await host.containers()).toEqual([]);
        // A newer engine lists a container no more before it says that it is removed.
        expect(readdirSync(join(host.stateDir, 'jobs'))).toEqual([]);
      },
      { timeout: 300_000, interval: 500 },
    );
    agent.signal('SIGUSR1');
    expect((await agent.ended).code).toBe(0);
    expect(await host.containers()).toEqual([]);
    expect(watch.volumes).toEqual([]);
  }, 600_000);
});
