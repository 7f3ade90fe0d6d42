import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUSYBOX, describeOwnEngine } from '../../support/engine/docker.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const ulimit = (Name: string, limit: number) => ({ Name, Soft: limit, Hard: limit });

/** Everything that Docker 20.10 takes from daemon.json for containers, set to what a job may not have or differs. */
const DEFAULTS = {
  'default-ulimits': {
    memlock: ulimit('memlock', 8_000_000),
    stack: ulimit('stack', 67_108_864),
    nofile: ulimit('nofile', 1_048_576),
    core: ulimit('core', -1),
    fsize: ulimit('fsize', -1),
    nice: ulimit('nice', 40),
    rtprio: ulimit('rtprio', 99),
  },
  init: true,
  'no-new-privileges': true,
  'log-driver': 'local',
  'log-opts': { 'max-size': '1g', 'max-file': '9', mode: 'non-blocking' },
  'default-shm-size': '4G',
  'default-cgroupns-mode': 'host',
  'default-ipc-mode': 'shareable',
  mtu: 1400,
  dns: ['192.0.2.53'],
  'dns-opts': ['ndots:9'],
  'dns-search': ['example.com'],
  icc: true,
  'selinux-enabled': true,
  'exec-opts': ['native.cgroupdriver=cgroupfs'],
  labels: ['gpu=yes'],
  'userland-proxy': false,
};

describeOwnEngine('an engine with every default that its owner may have set', () => {
  let engine: PrivateEngine;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'engine-defaults-'));
    const path = join(dir, 'default-runtime');
    await writeFile(path, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    engine = await PrivateEngine.open();
    const runtimes = { broken: { path } };
    await engine.start({
      liveRestore: false,
      config: { ...DEFAULTS, runtimes, 'default-runtime': 'broken' },
    });
    await testRuntime(engine.host).runtime.images.prepare(BUSYBOX, AbortSignal.timeout(60_000));
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  });

  test('runs a job, which gains nothing from them', async () => {
    const at = testRuntime(engine.host, { limits: { dns: ['192.0.2.1'] } });
    const code = [
      'ulimit -Hc; ulimit -Hf; ulimit -Hn; ulimit -He; ulimit -Hr',
      'df -k /dev/shm | tail -n 1',
      'grep -c . /proc/self/cgroup',
    ].join('; ');
    await using job = await TestJob.create(engine, at, code);
    const { exit, stderr, stdout } = await job.run();
    const [core, file, files, nice, realtime, shm] = stdout.toString().trim().split('\n');
    expect([exit.code, stderr.toString()]).toEqual([0, '']);
    expect([core, file, files, nice, realtime]).toEqual(['0', '2097152', '4096', '0', '0']);
    expect(shm?.split(/\s+/)[1]).toBe('32768');
  });
});
