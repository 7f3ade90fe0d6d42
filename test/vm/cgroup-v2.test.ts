import { copyFile, mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildPackage } from '../support/package/debian.ts';
import { AGENT_STEPS } from '../support/vm/agent-steps.ts';
import { describeVm } from '../support/vm/describe.ts';
import { PRESENCE_STEP } from '../support/vm/presence-step.ts';
import { boot, type Step } from '../support/vm/vm.ts';

/*
 * A host with systemd as process 1, cgroup v2 and Docker's systemd driver, as new Debians and Ubuntus have them. One
 * boot for all.
 */

/** Prints how often a limit of Docker's containers was reached, and how many of their processes were killed. */
const MEMORY_EVENTS = `events() { su -s /bin/sh nobody -c "grep -E '^oom(_kill)? ' /sys/fs/cgroup/system.slice/memory.events"; }
events`;

const STEPS = {
  host: `set -e
stat --file-system --format %T /sys/fs/cgroup
docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}'
docker run --rm localhost:5000/sharedcloud/busybox echo from a container`,
  ...AGENT_STEPS,
  presence: PRESENCE_STEP,
  reload: `set -e
sleep 2
asked=$(date +%s)
systemctl daemon-reload
changed=$(su -s /bin/sh nobody -c 'stat --format %Z /run/systemd/generator')
[ "$changed" -ge "$asked" ] && echo dated`,
  ownOom: `${MEMORY_EVENTS}
docker run --init --name own -m 64m --memory-swap 64m localhost:5000/sharedcloud/python36 python3 -c 'bytearray(300 << 20)'
docker inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' own
events`,
  hostOom: `${MEMORY_EVENTS}
docker run -d --init --name host -m 400m --memory-swap 400m localhost:5000/sharedcloud/python36 \
  python3 -c 'import time; held = bytearray(b"1") * (150 << 20); print("held", flush=True); time.sleep(600)' >/dev/null
until docker logs host | grep -q held; do sleep 1; done
echo f >/proc/sysrq-trigger
docker wait host >/dev/null
docker inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' host
events`,
} as const;

describeVm('a host with systemd and cgroup v2', () => {
  let steps: ReadonlyMap<string, Step>;
  const step = (name: keyof typeof STEPS): Step | undefined => steps.get(name);
  /** The last line of a step as JSON; its whole output where it failed. */
  const lastOf = (name: keyof typeof STEPS): unknown => {
    const { code, output = '' } = step(name) ?? {};
    if (code !== 0) expect.fail(`${name}: ${output}\n${step('log')?.output}`);
    return JSON.parse(output.split('\n').at(-1) ?? '');
  };

  beforeAll(async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sharedcloud-package-'));
    const deb = join(folder.path, 'agent.deb');
    await copyFile(await buildPackage(), deb);
    steps = await boot({ steps: STEPS, files: [deb] });
  });

  test('is what it is', () => {
    expect(step('host')).toMatchObject({ code: 0, output: 'cgroup2fs\nsystemd 2\nfrom a container' });
  });

  test('dates a reload of systemd by its directories of generated units', () => {
    expect(step('reload')).toMatchObject({ code: 0, output: 'dated' });
  });

  test('tells by memory.events whose memory ran out, whatever the engine says', () => {
    const own = step('ownOom')?.output ?? '';
    const host = step('hostOom')?.output ?? '';
    expect(own).toMatch(/^oom 0\noom_kill 0\n(?:.*\n)*137 (?:true|false)\noom 1\noom_kill 1$/);
    expect(host).toMatch(/^oom 1\noom_kill 1\n(?:.*\n)*137 (?:true|false)\noom 1\noom_kill 2$/);
  });

  test('runs the package as a service that does a job, and is healthy', () => {
    expect(step('install')).toMatchObject({ code: 0 });
    expect(lastOf('job')).toMatchObject({ hello: ['SUCCEEDED', 'works'] });
  });

  test('lets its group control it over a restart, and nobody else', () => {
    const [paused, ...rest] = (step('group')?.output ?? '').split('\n');
    expect(paused).toContain('"changed":true');
    expect(rest).toEqual([
      'AGENT_OUT_OF_REACH',
      'srw-rw---- sharedcloud-agent',
      '200',
      '403',
      '"changed": true',
    ]);
  });

  test('sees sessions and its own processes from within the sandbox of the service', () => {
    expect(lastOf('presence')).toEqual({ areIdsShared: true, owners: ['ours', 'foreign'], sessions: 'read' });
  });

  test('reloads its units while a job runs, which ends as if nothing had been', () => {
    expect(lastOf('reloadUnits')).toMatchObject({ slow: ['SUCCEEDED', '10'] });
  });

  test('drains the service, which leaves no container and has logged no error', () => {
    expect(step('drain')?.output).toMatch(/\nsuccess\n0\n0$/);
  });
});
