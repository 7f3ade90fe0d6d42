import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Desk, openDesk, TOKEN } from '../support/broker/desk.ts';
import { describeGpuStandIn } from '../support/engine/docker.ts';
import { type Deployment, Fleet } from '../support/fleet/fleet.ts';
import type { FleetNode } from '../support/fleet/node.ts';
import { Workload } from '../support/fleet/workload.ts';

/* One agent per worker of a Docker Swarm, by the stack file of docs/fleet.md. The tests share one fleet, in their order. */

const run = promisify(execFile);
const OLD = 'sharedcloud-fleet:old';
const NEW = 'sharedcloud-fleet:new';
const CONFIG = `ask-price = 0.1
cpu-slots = 2
images = ["localhost:5000/sharedcloud/*"]
min-free-disk = "0 B"
poll-interval = "200ms"
`;
const OFFERS = z.array(z.object({ uuid: z.string(), name: z.string(), status: z.number() }));
const CHECKS = z.object({ checks: z.array(z.object({ check: z.string(), level: z.string() })) });
const ON_MARKET = 2;
const LONG = { timeout: 60_000, interval: 200 };

describeGpuStandIn('a fleet on Docker Swarm', (engine) => {
  let desk: Desk;
  let fleet: Fleet;

  const makeImages = async (tar: string): Promise<void> => {
    const script = resolve(import.meta.dirname, '../support/fleet/images.sh');
    await run(script, [tar], { env: { ...process.env, DOCKER_HOST: engine.host }, maxBuffer: 1e8 });
  };
  /** The offers at the broker, once so many of them are on the market. */
  const onMarket = (count: number): Promise<z.infer<typeof OFFERS>> =>
    vi.waitFor(async () => {
      const all = OFFERS.parse((await desk.call('GET', '/instances')).body);
      expect(all.filter(({ status }) => status === ON_MARKET)).toHaveLength(count);
      return all;
    }, LONG);
  /** The previous release has no `network keep`. */
  const deploy = (image: string, agent: Deployment['agent'] = {}): Promise<void> =>
    fleet.deploy({ image, agent, network: NEW });
  /** Deploys, and waits for the end of the update and for an agent on each worker. */
  const update = async (image: string, agent: Deployment['agent'] = {}): Promise<string> => {
    await deploy(image, agent);
    return fleet.untilUpdated();
  };

  beforeAll(async () => {
    desk = await openDesk({ leaseSeconds: 60, leaveOutUnwinnable: false });
    fleet = await Fleet.open({ broker: desk.url, token: TOKEN, config: CONFIG, makeImages });
    await deploy(OLD);
    await fleet.runningImages();
  }, 600_000);
  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
    await desk?.[Symbol.asyncDispose]();
  });

  test('offers each worker by itself, and runs nothing on managers', async () => {
    const seen = await onMarket(2);
    expect(new Set(seen.map(({ uuid }) => uuid)).size).toBe(2);
    expect(new Set(seen.map(({ name }) => name)).size).toBe(2);
    expect(fleet.workers.map(instanceOf).toSorted()).toEqual(seen.map(({ uuid }) => uuid).toSorted());
    for (const { docker } of fleet.managers) expect(await docker.listContainers({ all: true })).toEqual([]);
    for (const { docker, name } of fleet.workers) {
      const agent = docker.getContainer(await agentOf(docker));
      const { Config, HostConfig } = await agent.inspect();
      expect(Config.Hostname).toBe(name);
      expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], NetworkMode: 'bridge' });
    }
  });

  test('gives each worker the network of jobs', async () => {
    for (const node of fleet.workers) expect(await jobNetwork(node)).toContain('sharedcloud0');
  });

  test('rolls back a token that others can read, and names the error in the service’s log', async () => {
    const target = '/etc/sharedcloud-agent/token';
    const secrets = [{ source: 'token', target, uid: '10001', mode: 0o444 }];
    expect(await update(OLD, { secrets })).toBe('rollback_completed');
    const errors = (await fleet.tasks()).map(({ Status }) => Status.Err ?? '');
    // Configuration and token errors exit with 2.
    expect(errors).toContain('task: non-zero exit (2)');
    expect(await fleet.manager.cli('service', 'logs', 'sharedcloud_agent')).toContain('TOKEN_FILE_UNSAFE');
    await fleet.runningImages();
    await onMarket(2);
    for (const node of fleet.workers)
      expect(await node.cli('exec', await agentOf(node.docker), 'stat', '-c', '%a %u', target)).toBe(
        '400 10001\n',
      );
  });

  test('rolls back a release that never gets healthy, and loses nothing of a journal that it changed', async () => {
    const work = new Workload(desk.broker, 8, 3);
    await work.untilClaimed(4);
    const healthcheck = { test: ['CMD', 'false'], interval: '1s', retries: 2, start_period: '5s' };
    expect(await update(NEW, { healthcheck })).toBe('rollback_completed');
    expect(await fleet.runningImages()).toEqual([OLD, OLD]);
    expect(fleet.workers.map(tablesOf)).toContainEqual(expect.arrayContaining(['jobs', 'later_release']));
    expect(await work.outcomes()).toEqual(work.paidOnce);
    expect(await work.starts(fleet.workers)).toEqual(work.startedOnce);
  });

  test('updates one worker after the other while jobs run, each of them once', async () => {
    const work = new Workload(desk.broker, 12, 3);
    await work.untilClaimed(4);
    expect(await update(NEW)).toBe('completed');
    expect(await fleet.runningImages()).toEqual([NEW, NEW]);
    expect(await work.outcomes()).toEqual(work.paidOnce);
    expect(await work.starts(fleet.workers)).toEqual(work.startedOnce);
    await onMarket(2);
  });

  test('verifies the jobs’ network from inside an agent’s container', async () => {
    for (const node of fleet.workers) {
      const agent = await agentOf(node.docker);
      const printed = await node.cli('exec', agent, 'sharedcloud-agent', 'check', '--json');
      expect(CHECKS.parse(JSON.parse(printed)).checks).toContainEqual({ check: 'job network', level: 'ok' });
    }
  });

  test('ends an update whose leader is killed', async () => {
    const work = new Workload(desk.broker, 12, 3);
    const leader = await fleet.leader();
    const before = await Promise.all(fleet.workers.map(({ docker }) => agentOf(docker)));
    await deploy(NEW, { environment: { SHAREDCLOUD_LOG_LEVEL: 'debug' } });
    await vi.waitFor(async () => {
      const now = await Promise.all(fleet.workers.map(({ docker }) => agentOf(docker)));
      expect(now.filter((id) => !before.includes(id))).toHaveLength(1);
    }, LONG);
    await leader.crash();
    expect(await fleet.untilUpdated()).toBe('completed');
    expect((await fleet.leader()).name).not.toBe(leader.name);
    expect(await work.outcomes()).toEqual(work.paidOnce);
    expect(await work.starts(fleet.workers)).toEqual(work.startedOnce);
    await leader.boot();
    await fleet.untilSeen(leader, 'ready');
  });

  test('runs jobs on a worker that no manager reaches', async () => {
    const [node] = fleet.workers;
    if (node === undefined) throw new Error('no worker');
    await node.route('add', fleet.managers);
    await fleet.untilSeen(node, 'down');
    const work = new Workload(desk.broker, 8, 1);
    expect(await work.outcomes()).toEqual(work.paidOnce);
    const alone = await work.starts([node]);
    expect(alone.filter((count) => count === 1).length).toBeGreaterThan(0);
    await node.route('delete', fleet.managers);
    await fleet.untilSeen(node, 'ready');
    expect(await fleet.runningImages()).toEqual([NEW, NEW]);
    await onMarket(2);
    expect(await work.starts(fleet.workers)).toEqual(work.startedOnce);
  });

  test('has the offer and the jobs’ network back after a worker was rebooted', async () => {
    const [, node] = fleet.workers;
    if (node === undefined) throw new Error('no worker');
    const work = new Workload(desk.broker, 4, 5);
    await work.untilClaimed(4);
    await node.crash();
    await node.boot();
    await fleet.untilSeen(node, 'ready');
    expect(await work.outcomes()).toEqual(work.paidOnce);
    await fleet.runningImages();
    await onMarket(2);
    expect(await jobNetwork(node)).toContain('sharedcloud0');
  });

  test('keeps a worker paused over an update and a reboot', async () => {
    const [node, other] = fleet.workers;
    if (node === undefined || other === undefined) throw new Error('no worker');
    const agent = async (...command: readonly string[]): Promise<string> =>
      node.cli('exec', await agentOf(node.docker), 'sharedcloud-agent', ...command);
    await agent('pause');
    await onMarket(1);
    expect(await update(NEW)).toBe('completed');
    await node.crash();
    await node.boot();
    await fleet.untilSeen(node, 'ready');
    await fleet.runningImages();
    const work = new Workload(desk.broker, 4, 1);
    expect(await work.outcomes()).toEqual(work.paidOnce);
    expect(await work.starts([other])).toEqual(work.startedOnce);
    await agent('health');
    await onMarket(1);
    await agent('resume');
    await onMarket(2);
  });
});

/** The rules and the bridge of the job network on a node; waits until both are there. */
function jobNetwork(node: FleetNode): Promise<string> {
  const script = 'nft list table inet sharedcloud && ip -brief link show sharedcloud0';
  return vi.waitFor(() => node.sh(script), LONG);
}

/** The tables of a node's journal. */
function tablesOf({ stateDir }: FleetNode): readonly unknown[] {
  using journal = new DatabaseSync(join(stateDir, 'journal.db'), { readOnly: true });
  return journal
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
}

/** The instance at the broker that a node's journal knows. */
function instanceOf({ stateDir }: FleetNode): string {
  using journal = new DatabaseSync(join(stateDir, 'journal.db'), { readOnly: true });
  const row = journal.prepare('SELECT instance FROM instances').get();
  return z.object({ instance: z.string() }).parse(row).instance;
}

/** The container of the agent on a node. */
async function agentOf(docker: FleetNode['docker']): Promise<string> {
  const label = ['com.docker.swarm.service.name=sharedcloud_agent'];
  const [agent] = await docker.listContainers({ filters: JSON.stringify({ label }) });
  if (agent === undefined) throw new Error('no agent runs');
  return agent.Id;
}
