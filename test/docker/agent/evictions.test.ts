import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diskUse } from '../../../src/host/disk-space.ts';
import { imageDisk, leapingClock } from '../../support/agent/image-disk.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { LoopDisk } from '../../support/disk/disks.ts';
import { describeOwnEngine, imageWith, PYTHON } from '../../support/engine/docker.ts';
import { EngineProxy } from '../../support/engine/engine-proxy.ts';
import { findEngine, REGISTRY } from '../../support/engine/find-engine.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { testRuntime } from '../../support/engine/runtime.ts';

const AGENT = fileURLToPath(new URL('../../support/agent/evicting-agent.ts', import.meta.url));
const NAMES = ['cheap', 'dear', 'running', 'owner'] as const;
type Name = (typeof NAMES)[number];

const refOf = (name: Name): string => `${REGISTRY}/sharedcloud/fat-${name}:latest`;

const RETURNS = 'def handler(event):\n    return 1\n';
const SLEEPS = 'import time\ndef handler(event):\n    time.sleep(600)\n';

describeOwnEngine('an agent on a disk that fills up', () => {
  let engine: PrivateEngine;
  let disk: LoopDisk;

  beforeAll(async () => {
    await publishImages();
    disk = new LoopDisk(700);
    engine = await PrivateEngine.open();
    // containerd's own store of images would not be on the disk.
    const config = { features: { 'containerd-snapshotter': false } };
    await engine.start({ liveRestore: false, dataRoot: disk.path, config });
  }, 180_000);

  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    disk[Symbol.dispose]();
  });

  test('removes only its least valuable image, and after a kill in the middle of that goes on', async () => {
    await using env = await TestEnv.open({ realTime: true });
    // By its address an engine is known, so all agents have the same.
    await using proxy = await EngineProxy.start(engine.host);
    await pull(engine.docker, refOf('owner'));
    const clock = leapingClock();
    const agent = await env.start({
      slots: 2,
      settings: { jobTimeoutMs: 600_000 },
      clock,
      imageDisk: imageDisk(),
      runtime: (agentId) => testRuntime(proxy.host, { agentId }).runtime,
    });
    await env.untilDone(addRun(env, 'cheap', RETURNS));
    for (let runs = 0; runs < 3; runs += 1) await env.untilDone(addRun(env, 'dear', RETURNS));
    addRun(env, 'running', SLEEPS);
    await env.untilEvent('job-started');
    await env.until(() => expect(env.events.filter(({ kind }) => kind === 'job-started')).toHaveLength(5));
    expect(await here()).toEqual([...NAMES].toSorted());

    clock.pass(3_600_000);
    const { freeBytes, totalBytes } = diskUse(disk.path) ?? { freeBytes: 0, totalBytes: 0 };
    disk.fill(Math.round(freeBytes - 0.13 * totalBytes));
    await env.untilDone(addRun(env, 'dear', RETURNS));
    await env.untilEvent('image-evicted');
    const evicted = env.events.filter(({ kind }) => kind === 'image-evicted');
    expect(evicted).toMatchObject([{ image: refOf('cheap'), reason: 'high-mark' }]);
    expect(await here()).toEqual(['dear', 'owner', 'running']);
    const after = diskUse(disk.path);
    expect((after?.freeBytes ?? 0) / totalBytes).toBeGreaterThan(0.15);
    await agent.stop();

    const child = spawn(process.execPath, [AGENT, env.directory, env.url, proxy.host], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    proxy.plan = ({ name }) => {
      if (/^\/images\/sha256[^/]*$/.test(name)) child.kill('SIGKILL');
      return 'pass';
    };
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(await here()).toEqual(expect.arrayContaining(['owner', 'running']));

    const next = await env.start({
      slots: 2,
      settings: { jobTimeoutMs: 600_000 },
      clock,
      imageDisk: imageDisk({ use: () => ({ freeBytes: 0, totalBytes: 1e12 }) }),
      runtime: (agentId) => testRuntime(proxy.host, { agentId }).runtime,
    });
    await env.until(async () => expect(await here()).toEqual(['owner', 'running']));
    await next.agent.evict();
    await next.close();
  }, 180_000);

  async function here(): Promise<readonly string[]> {
    const images = await engine.docker.listImages();
    const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []);
    return NAMES.filter((name) => tags.includes(refOf(name))).toSorted();
  }
});

/** Puts images into the registry that have Python and some megabytes of their own. */
async function publishImages(): Promise<void> {
  const found = await findEngine(process.env);
  if (!('engine' in found)) throw new Error(found.missing);
  const { engine } = found;
  await pull(engine.docker, PYTHON);
  for (const name of NAMES) {
    const fat = 'dd if=/dev/urandom of=/fat bs=1M count=60 2>/dev/null';
    await using image = await imageWith(engine, PYTHON, refOf(name).replace(/:latest$/, ''), [], fat);
    await done(engine.docker, await engine.docker.getImage(image.ref).push({ authconfig: {} }));
  }
}

async function pull(docker: Docker, ref: string): Promise<void> {
  await done(docker, await docker.pull(ref));
}

function done(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(stream, (error) => (error === null ? resolve() : reject(error)));
  });
}

function addRun(env: TestEnv, name: Name, code: string): string {
  const { store } = env.broker;
  const image = store.addImage({ registryPath: refOf(name), requiresGpu: false, runtime: 'python36' });
  const fn = store.addFunction({ name, code, image });
  return store.addRun({ function: fn, parameters: '((1,),)', bidPrice: 1 });
}
