import { execFile } from 'node:child_process';
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { addRun, HELLO_PYTHON, openScenario, TOKEN } from '../support/e2e/scenario.ts';
import { describeGpuStandIn, PYTHON } from '../support/engine/docker.ts';

/* The container image, built by its Dockerfile, with jobs beside it on the same engine. */

const run = promisify(execFile);
const IMAGE = 'sharedcloud-agent-test:latest';
const USER = 10_001;
const JOBS = z.object({ jobs: z.array(z.record(z.string(), z.unknown())) });
const SLOW = `import time\ndef handler(event):\n    time.sleep(event[0])\n    return 'slept'\n`;

describeGpuStandIn('the container image', (engine) => {
  let scenario: Awaited<ReturnType<typeof openScenario>>;
  const name = `sharedcloud-agent-test-${process.pid}`;
  let bytes = 0;

  const docker = async (...args: readonly string[]): Promise<string> => {
    const env = { ...process.env, DOCKER_HOST: engine.host };
    const { stdout } = await run('docker', args, { env, maxBuffer: 1e8 });
    return stdout.trim();
  };
  const inspect = (format: string): Promise<string> => docker('inspect', '--format', format, name);
  /** All that the agent said; it says it on stderr. */
  const logs = async (): Promise<string> => {
    const env = { ...process.env, DOCKER_HOST: engine.host };
    const { stdout, stderr } = await run('docker', ['logs', name], { env, maxBuffer: 1e8 });
    return `${stdout}${stderr}`;
  };
  const jobs = async (): Promise<unknown> =>
    JOBS.parse(JSON.parse(await docker('exec', name, 'sharedcloud-agent', 'jobs', '--json'))).jobs;
  const statuses = (uuid: string): readonly number[] =>
    scenario.broker.store.jobsOf(uuid).map(({ status }) => status);

  /** As docs/install.md has it; the network is the machine's own, since the broker of this test is on it. */
  const start = async (): Promise<void> => {
    const socket = new URL(engine.host).pathname;
    const { DOCKER_HOST: _, SHAREDCLOUD_TOKEN_FILE: token, ...env } = scenario.env;
    const state = join(scenario.directory, 'state');
    const flags = [
      '--detach --init --read-only --cap-drop ALL --security-opt no-new-privileges --health-interval 1s',
      `--name ${name} --network host --gpus all,capabilities=utility --group-add ${(await stat(socket)).gid}`,
      `--volume ${socket}:/var/run/docker.sock --volume ${state}:${state}`,
      `--volume ${token}:/etc/sharedcloud-agent/token:ro`,
    ].flatMap((line) => line.split(' '));
    const variables = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
    await docker('run', ...flags, ...variables, IMAGE);
  };

  beforeAll(async () => {
    const script = resolve(import.meta.dirname, '../support/package/build-image.sh');
    const env = { ...process.env, DOCKER_HOST: engine.host };
    const { stdout } = await run(script, [IMAGE.replace(':latest', '')], { env, maxBuffer: 1e8 });
    bytes = Number(stdout.trim());
    scenario = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '1' });
    await mkdir(join(scenario.directory, 'state'), { mode: 0o700 });
    await chown(join(scenario.directory, 'state'), USER, USER);
    await rm(join(scenario.directory, 'token'));
    await writeFile(join(scenario.directory, 'token'), `${TOKEN}\n`, { mode: 0o600 });
    await chown(join(scenario.directory, 'token'), USER, USER);
  }, 600_000);
  afterAll(async () => {
    await docker('rm', '--force', '--volumes', name).catch(() => undefined);
    await scenario?.[Symbol.asyncDispose]();
  });

  test('is small, runs as nobody in particular, and has no tools to build with', async () => {
    expect(bytes).toBeLessThan(300e6);
    const { Config } = await engine.docker.getImage(IMAGE).inspect();
    expect(Config.User).toBe(`${USER}:${USER}`);
    expect(Config.Healthcheck).toMatchObject({ Test: ['CMD', '/usr/bin/sharedcloud-agent', 'health'] });
    const listing =
      'for tool in npm npx node tsc gcc cc make; do command -v $tool; done; ls /root /build 2>/dev/null; true';
    expect(await docker('run', '--rm', '--entrypoint', '/bin/sh', IMAGE, '-c', listing)).toBe('');
    expect(await docker('run', '--rm', IMAGE, '--version')).toBe('0.1.0');
  });

  test('does a job on the engine whose socket it was given', async () => {
    const uuid = addRun(scenario.broker, PYTHON, HELLO_PYTHON, "(('from inside',),)");
    await start();
    await vi.waitFor(() => expect(statuses(uuid)).toEqual([JOB_STATUS.SUCCEEDED]), 60_000);
    expect(scenario.broker.store.jobsOf(uuid)[0]?.result).toBe('from inside');
    await vi.waitFor(async () => expect(await inspect('{{.State.Health.Status}}')).toBe('healthy'), 60_000);
    expect(await jobs()).toMatchObject([{ outcome: 'succeeded' }]);
    expect(await logs()).not.toContain(TOKEN);
  });

  test('reads its configuration again at SIGHUP, and runs on', async () => {
    const began = await inspect('{{.State.StartedAt}}');
    await docker('exec', name, 'sh', '-c', 'kill -HUP 1');
    await vi.waitFor(async () => expect(await logs()).toContain('"event":"configuration-reloaded"'), 30_000);
    expect(await inspect('{{.State.Status}} {{.State.StartedAt}}')).toBe(`running ${began}`);
  });

  test('stops without waiting for its job, which the next container adopts', async () => {
    const uuid = addRun(scenario.broker, PYTHON, SLOW, '((15,),)');
    await vi.waitFor(() => expect(statuses(uuid)).toEqual([JOB_STATUS.IN_PROGRESS]), 30_000);
    await vi.waitFor(
      async () => expect(await jobs()).toContainEqual(expect.objectContaining({ state: 'running' })),
      30_000,
    );
    await docker('stop', '--time', '60', name);
    expect(await inspect('{{.State.ExitCode}} {{.State.OOMKilled}}')).toBe('0 false');
    await docker('rm', name);
    await start();
    await vi.waitFor(() => expect(statuses(uuid)).toEqual([JOB_STATUS.SUCCEEDED]), 90_000);
    expect(await logs()).not.toContain('"event":"job-release-queued"');
  });

  test('is not healthy where no agent lives', async () => {
    await expect(
      docker('run', '--rm', '--env', 'SHAREDCLOUD_STATE_DIR=/tmp', IMAGE, 'health'),
    ).rejects.toMatchObject({ code: 1 });
  });
});
