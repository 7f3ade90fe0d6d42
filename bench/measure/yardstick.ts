import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobFolders } from '../../src/function/job-files.ts';
import { openFilesLimit } from '../../src/host/open-files.ts';
import { SECCOMP_PROFILE } from '../../src/runtime/docker/container/seccomp.ts';
import { type ContainerSpec, containerSpec } from '../../src/runtime/docker/container/spec.ts';
import { readImage } from '../../src/runtime/docker/image/config.ts';
import { PYTHON } from '../../test/support/engine/find-engine.ts';
import type { Ground } from '../row.ts';
import { JOB_CPUS, JOB_MEMORY_BYTES } from './scene.ts';

/** The container that the agent would create for a function, created without the agent. */
export type Yardstick = AsyncDisposable & {
  /** Its options for the engine, with a unique name each time. */
  readonly spec: (job: string) => ContainerSpec;
  /** Runs it so many times with `docker run --rm`, so many at once with `xargs -P`, and discards its output. */
  readonly dockerRun: (times: number, atOnce: number) => Promise<void>;
};

/** Lays out the function once and creates containers of it. */
export async function openYardstick(ground: Ground, code: string): Promise<Yardstick> {
  const directory = await mkdtemp(join(tmpdir(), 'sharedcloud-bench-'));
  const fn = { uuid: '', name: 'yardstick', runtime: 'python36', imageUuid: '', registryPath: PYTHON };
  const laid = await new JobFolders(directory).layOut('yardstick', { fn, code, args: '(1,)' });
  // dockerd reads the profile from its API, the command line from a file.
  const profile = join(directory, 'seccomp.json');
  await writeFile(profile, SECCOMP_PROFILE);
  const image = readImage(await ground.engine.docker.getImage(PYTHON).inspect());
  const resources = { memoryBytes: JOB_MEMORY_BYTES, cpus: JOB_CPUS };
  const limits = {
    pidsLimit: 4096,
    diskBytes: 1e9,
    openFiles: Math.min(65_536, openFilesLimit() ?? 65_536),
    user: '65534:65534',
    runtime: 'runc',
    dns: [],
  };
  const gpuInjection = 'device-requests';
  const spec = (job: string): ContainerSpec =>
    containerSpec(
      { job, run: 'bench', offerKey: 'cpu', image: image.id, gpu: null, resources, ...laid },
      { agentId: 'bench', limits, gpuInjection, image, diskQuota: false, seccomp: true },
    );
  return {
    spec,
    dockerRun: async (times, atOnce) => {
      const words = ['docker', 'run', '--rm', ...flagsOf(spec('bench'), profile), image.id];
      const child = spawn(
        'xargs',
        ['-P', String(atOnce), '-n', '1', 'sh', '-c', `exec ${quoted(words)} >/dev/null`],
        {
          stdio: ['pipe', 'ignore', 'inherit'],
          env: { PATH: process.env['PATH'], DOCKER_HOST: ground.engine.host },
        },
      );
      child.stdin.end(Array.from({ length: times }, (_, index) => `${index}\n`).join(''));
      await once(child, 'close');
      if (child.exitCode !== 0) throw new Error(`xargs of docker run ended with ${child.exitCode}`);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** The same container as arguments of `docker run`. */
function flagsOf({ Env, HostConfig: host, User }: ContainerSpec, profile: string): readonly string[] {
  const [input] = host.Mounts;
  return [
    ['--runtime', host.Runtime, '--user', User, '--network', host.NetworkMode, '--init', '--no-healthcheck'],
    ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--security-opt', `seccomp=${profile}`],
    ['--stop-signal', 'SIGTERM'],
    ['--memory', `${host.Memory}`, '--memory-swap', `${host.MemorySwap}`, '--cpus', `${host.NanoCpus / 1e9}`],
    ['--pids-limit', `${host.PidsLimit}`, '--oom-score-adj', `${host.OomScoreAdj}`],
    ['--shm-size', `${host.ShmSize}`, '--ipc', host.IpcMode, '--cgroupns', host.CgroupnsMode],
    host.Ulimits.flatMap(({ Hard, Name, Soft }) => ['--ulimit', `${Name}=${Soft}:${Hard}`]),
    ['--mount', `type=bind,source=${input.Source},target=${input.Target},readonly,bind-propagation=rprivate`],
    ['--log-driver', host.LogConfig.Type],
    Object.entries(host.LogConfig.Config).flatMap(([name, value]) => ['--log-opt', `${name}=${value}`]),
    Env.flatMap((entry) => ['--env', entry]),
  ].flat();
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
