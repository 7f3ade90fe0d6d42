import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTestContainer } from '../../../src/agent/jobs/test-container.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { DockerRuntime } from '../../../src/runtime/docker/docker-runtime.ts';
import { logInto } from '../log/log-into.ts';

/** A state directory, and test containers whose files are in it. */
export async function openTestContainers() {
  const directory = await mkdtemp(join(tmpdir(), 'test-container-'));
  return {
    directory,
    /** Runs one at this runtime. Throws as `runTestContainer` does. */
    run: (runtime: DockerRuntime, gpu: string | null = null, deadlineMs = 20_000): Promise<boolean> =>
      runTestContainer(
        {
          runtime,
          files: new JobFolders(join(directory, 'jobs')),
          clock: systemClock,
          random: Math.random,
          log: logInto([]),
          resources: () => ({ memoryBytes: 64 * 1024 ** 2, cpus: 1 }),
          detach: AbortSignal.timeout(60_000),
          network: 'none',
          deadlineMs,
        },
        gpu,
        AbortSignal.timeout(60_000),
      ),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
