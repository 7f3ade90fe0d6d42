import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OrphanContainers } from '../../../src/agent/jobs/orphan-containers.ts';
import { GarbageCollector } from '../../../src/agent/reconcile/garbage-collector.ts';
import type { JobInput } from '../../../src/domain/ports/job-files.ts';
import { JobFolders } from '../../../src/function/job-files.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { CPU_IMAGE } from '../../support/domain.ts';
import { newJob } from '../../support/journal/samples.ts';
import { logInto } from '../../support/log/log-into.ts';

const INPUT: JobInput = {
  fn: { uuid: 'fn', name: 'sample', runtime: 'node24', imageUuid: 'image', registryPath: CPU_IMAGE },
  code: 'function handler() { return 1 }',
  args: '()',
};

test('removes what no job needs at the second collection, also while jobs run, and keeps what is open or active', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.open();
  const { journal, runtime } = agent;
  const files = new JobFolders(join(env.directory, 'state', 'jobs'));
  const log: string[] = [];
  const make = async (job: string): Promise<string> => {
    const { env, inputDir } = await files.layOut(job, INPUT);
    const resources = { memoryBytes: 1e8, cpus: 1 };
    const plan = { job, run: 'run', offerKey: 'cpu', image: CPU_IMAGE, inputDir, env, gpu: null, resources };
    return runtime.create(plan);
  };
  await Promise.all(['left', 'over', 'open', 'active'].map((job) => make(job)));
  journal.insert(newJob('open'));
  journal.insert(newJob('over'));
  journal.transition('over', { name: 'releasing', why: 'the engine was unreachable' });
  const end = new AbortController();
  const collectorLog = logInto(log);
  const orphanContainers = new OrphanContainers({
    runtime,
    clock: systemClock,
    random: Math.random,
    log: collectorLog,
    observe: () => undefined,
    detach: end.signal,
  });
  const collector = new GarbageCollector({
    runtime,
    orphanContainers,
    files,
    journal,
    log: collectorLog,
    isActive: (job) => job === 'active',
    graceMs: 50,
  });
  const work = collector.work(end.signal);
  // Nothing happens by itself: the next collection is minutes away.
  collector.soon();
  const containers = async () => (await runtime.list()).map(({ job }) => job).sort();
  await env.until(async () => expect(await containers()).toEqual(['active', 'open']));
  await env.until(async () => expect([...(await files.list())].sort()).toEqual(['active', 'open']));
  const collections = log.filter((line) => line.includes('garbage-collected'));
  expect(collections[0]).toContain('"containers":2');
  expect(log.findIndex((line) => line.includes('orphan-removed'))).toBeGreaterThan(
    log.indexOf(collections[0] ?? ''),
  );
  end.abort();
  await work;
});
