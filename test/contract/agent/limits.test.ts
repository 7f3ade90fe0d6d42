import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';

/** Without a limit it would end by itself, and well. */
const LATE = 'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 20_000, "late"));';

describe('an agent', () => {
  test('ends a job that never does', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(LATE, '((),)');
    await using agent = await env.open({ settings: { jobTimeoutMs: 1_000 } });
    await agent.run();
    const job = env.jobOf(run);
    expect(job.status).toBe(JOB_STATUS.TIMEOUT);
    expect(job.stderr).toContain('[sharedcloud-agent] stopped: it ran longer than 1 s');
  });

  test('ends a job that floods its output', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(LATE, '((),)');
    const chunk = Buffer.alloc(1_000_000, 'x');
    await using agent = await env.open({
      runtime: (_, processes) =>
        withOther(processes, {
          follow: (id, sink, signal) => {
            for (let count = 0; count < 2_500; count += 1) sink('stdout', chunk);
            return processes.follow(id, sink, signal);
          },
        }),
    });
    await agent.run();
    const job = env.jobOf(run);
    expect(job.status).toBe(JOB_STATUS.FAILED);
    expect(job.stderr).toContain('stopped: it printed more than 2000000000 bytes in too short a time');
  });

  test('evicts no other job for a disk that the removal of an ended one may free', async () => {
    await using env = await TestEnv.open();
    const removable = Promise.withResolvers<void>();
    let checks = 0;
    let isFull = false;
    await using _agent = await env.start({
      slots: 2,
      settings: { minFreeBytes: 10 },
      diskSpace: () => {
        if (isFull) checks += 1;
        if (checks > 5) removable.resolve();
        return { freeBytes: isFull ? 1 : 1e9, freeInodes: 1 };
      },
      runtime: (_, processes) =>
        withOther(processes, {
          storagePath: '/storage',
          remove: async (id) => {
            isFull = true;
            await removable.promise;
            isFull = false;
            await processes.remove(id);
          },
        }),
    });
    const long = env.addRun(
      'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 6_000, "done"));',
      '((),)',
    );
    await env.untilEvent('job-started');
    env.addRun('exports.handler = () => "ended";', '((),)');
    await env.untilDone(long);
    expect(env.count('job-release-queued')).toBe(0);
    expect(checks).toBeGreaterThan(5);
  });
});
