import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CgroupOwners } from '../../../src/host/process-owners.ts';
import { describeDocker } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

/** The engine of the tests has runsc where it is installed. */
const RUNTIMES = existsSync('/usr/bin/runsc') ? (['runc', 'runsc'] as const) : (['runc'] as const);

/** As the packaged service sees them: no process of another user. */
async function withHiddenProcesses(use: (owners: CgroupOwners) => Promise<void>): Promise<void> {
  const proc = await mkdtemp(join(tmpdir(), 'proc-'));
  const exists = (): boolean => true;
  try {
    await use(new CgroupOwners({ cgroups: '/sys/fs/cgroup', proc, exists }));
  } finally {
    await rm(proc, { recursive: true });
  }
}

describeDocker('the processes of a job', (engine) => {
  test.each(RUNTIMES)('are ours under %s, seen or hidden, and others are not', async (runtime) => {
    const at = testRuntime(engine.host, { limits: { runtime, pidsLimit: 1024 } });
    await using job = await TestJob.create(engine, at, 'sleep 600 & sleep 600');
    await using other = await TestJob.create(engine, testRuntime(engine.host), 'sleep 600');
    await at.runtime.start(job.id);
    await at.runtime.start(other.id);
    const [ours, foreign] = await Promise.all([job.id, other.id].map((id) => pidOf(id)));
    const check = async (owners: CgroupOwners): Promise<void> => {
      const ownerOf = owners.among([job.id]);
      expect([ours, foreign, process.pid].map((pid) => ownerOf(pid ?? 0))).toEqual([
        'ours',
        'foreign',
        'foreign',
      ]);
    };
    await check(new CgroupOwners());
    await withHiddenProcesses(check);
  });

  /** What nvidia-smi would show: under runsc the sandbox, which is the only process that uses the GPU. */
  async function pidOf(id: string): Promise<number> {
    const { State } = await engine.docker.getContainer(id).inspect();
    return State.Pid;
  }
});
