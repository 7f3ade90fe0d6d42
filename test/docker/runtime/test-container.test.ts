import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  BUSYBOX,
  describeDocker,
  describeOwnEngine,
  expectNothingLeft,
  imageWith,
} from '../../support/engine/docker.ts';
import { type EngineFault, EngineProxy } from '../../support/engine/engine-proxy.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { openTestContainers } from '../../support/test-container/test-container.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const AMONG_OURS = { reference: ['sharedcloud-agent/test-container'] };

describeDocker('a test container', (engine) => {
  test('runs at an engine without any image of it, and leaves nothing but that image', async () => {
    await using containers = await openTestContainers();
    const { agentId, runtime } = testRuntime(engine.host);
    const images = await engine.docker.listImages({ filters: JSON.stringify(AMONG_OURS) });
    for (const { Id } of images) await engine.docker.getImage(Id).remove({ force: true });
    expect(await containers.run(runtime)).toBe(true);
    expect(await containers.run(runtime)).toBe(true);
    expect(await engine.docker.listImages({ filters: JSON.stringify(AMONG_OURS) })).toHaveLength(1);
    expect(await readdir(join(containers.directory, 'jobs'))).toEqual([]);
    await expectNothingLeft(engine, agentId);
  });

  test('does not run another image of its name, but loads its own again', async () => {
    const { runtime } = testRuntime(engine.host);
    const own = await runtime.testImage(soon());
    if (own === undefined) throw new Error('no test image');
    const [ref = ''] = (await engine.docker.getImage(own).inspect()).RepoTags;
    const [repo = '', tag = ''] = ref.split(':');
    await using other = await imageWith(engine, BUSYBOX, `sharedcloud-test/${randomUUID()}`, []);
    await engine.docker.getImage(other.ref).tag({ repo, tag });
    expect(await runtime.testImage(soon())).toBe(own);
    expect((await engine.docker.getImage(ref).inspect()).Id).toBe(own);
  });

  const refusals: readonly (readonly [string, string, EngineFault, RegExp])[] = [
    [
      'runc is missing',
      'start',
      {
        answer: 500,
        message:
          'failed to create task for container: failed to start shim: exec: "runc": executable file not found in $PATH',
      },
      /runtime/,
    ],
    [
      'the disk is full',
      'create',
      { answer: 500, message: 'mkdir /var/lib/docker/overlay2/x-init: no space left on device' },
      /disk/,
    ],
    [
      'an AppArmor profile cannot be loaded',
      'start',
      {
        answer: 500,
        message:
          'OCI runtime create failed: unable to apply apparmor profile: apparmor failed to apply profile: no such file or directory',
      },
      /AppArmor/,
    ],
    [
      'a control group cannot be made',
      'start',
      {
        answer: 500,
        message:
          'failed to create task for container: failed to create shim task: OCI runtime create failed: unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/docker: no such file or directory',
      },
      /cgroup/,
    ],
    ['the engine knows no such failure', 'start', { answer: 500, message: 'zzz' }, /^$/],
    [
      'the log cannot be read back',
      'logs',
      { answer: 500, message: 'configured logging driver does not support reading' },
      /^$/,
    ],
  ];
  test.each(refusals)('fails where %s, with the engine’s words', async (_, call, fault, hint) => {
    await using containers = await openTestContainers();
    await using proxy = await EngineProxy.start(engine.host);
    proxy.plan = ({ name }) => (name === call ? fault : 'pass');
    const { agentId, runtime } = testRuntime(proxy.host);
    const error = await rejection(containers.run(runtime, null));
    expect(error.code).toBe('RUNTIME_FAILED');
    expect(error.message).toContain(typeof fault === 'object' ? fault.message : '');
    expect(error.hint ?? '').toMatch(hint);
    await expectNothingLeft(engine, agentId);
  });

  test('fails in its time where a start is never answered', async () => {
    await using containers = await openTestContainers();
    await using proxy = await EngineProxy.start(engine.host);
    proxy.plan = ({ name }) => (name === 'start' ? 'blackhole' : 'pass');
    const { agentId, runtime } = testRuntime(proxy.host);
    const error = await rejection(containers.run(runtime, null, 1_500));
    expect(error.message).toContain('1.5 s');
    await expectNothingLeft(engine, agentId);
  });
});

describeOwnEngine('on a host that cannot run jobs', () => {
  let engine: PrivateEngine;
  beforeAll(async () => {
    engine = await PrivateEngine.open();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test('docker-init that runs no job is named by what it printed', async () => {
    const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
    const init = join(tmpdir(), `other-init-${randomUUID()}`);
    await copyFile(busybox, init);
    await engine.start({ liveRestore: false, config: { 'init-path': init } });
    await using containers = await openTestContainers();
    const error = await rejection(containers.run(testRuntime(engine.host).runtime));
    await engine.end('SIGTERM');
    await rm(init);
    expect(error.message).toContain('docker-init: applet not found');
    expect(error.hint).toContain('docker-init');
  });

  test('docker-init that is missing is named, with what to do', async () => {
    await engine.start({ liveRestore: false, config: { 'init-path': '/nonexistent/docker-init' } });
    await using containers = await openTestContainers();
    const { agentId, runtime } = testRuntime(engine.host);
    const error = await rejection(containers.run(runtime));
    expect(error.message).toContain('docker-init');
    expect(error.hint).toContain('docker-init');
    await expectNothingLeft(engine, agentId);
  });

  test('a default runtime that is missing does no harm, since jobs name theirs', async () => {
    await engine.end('SIGTERM');
    const runtimes = { broken: { path: '/nonexistent/runc' } };
    await engine.start({ liveRestore: false, config: { runtimes, 'default-runtime': 'broken' } });
    await using containers = await openTestContainers();
    expect(await containers.run(testRuntime(engine.host).runtime)).toBe(true);
  });

  test('an engine that does not see the state directory is named as such', async () => {
    await engine.renew({ liveRestore: false });
    await using containers = await openTestContainers();
    await engine.hide(containers.directory);
    const error = await rejection(containers.run(testRuntime(engine.host).runtime));
    expect(error).toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
    expect(error.message).toContain(containers.directory);
    expect(error.hint).toContain('--state-dir');
  });
});
