import { randomUUID } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/journal/open-journal.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import { keepFigures, printFigures } from '../support/chaos/figures.ts';
import { amount, LONG } from '../support/chaos/length.ts';
import { growthPerJob, type ProcessStats } from '../support/chaos/process-stats.ts';
import { runWorkload } from '../support/chaos/workload.ts';
import { CPU_IMAGE } from '../support/domain.ts';
import { AS_PACKAGED } from '../support/e2e/as-packaged.ts';
import { openScenario } from '../support/e2e/scenario.ts';
import { describeDocker, expectNothingLeft, imageWith, PYTHON } from '../support/engine/docker.ts';

const SETTINGS = {
  SHAREDCLOUD_CPU_SLOTS: '4',
  SHAREDCLOUD_LOG_LEVEL: 'warn',
  // The shortest that there is.
  SHAREDCLOUD_KEEP_HISTORY: '1m',
  ...AS_PACKAGED,
};

const NODE_FUNCTION = `function handler([number]) {
  console.log('x'.repeat(500));
  if (number % 10 === 0) throw new Error('on purpose');
  return number;
}`;

const PYTHON_FUNCTION = `def handler(event):
    print('x' * 500)
    if event[0] % 10 == 0:
        raise ValueError('on purpose')
    return event[0]
`;

/** Until so much of the jobs is done, caches fill and code is compiled. */
const WARM_UP = 0.3;

/**
 * Bytes per job that are no leak: the fewer jobs, the more of what is there anyway falls on each. What is kept of the
 * last runs and events (2 MiB), up to a limit, fills for longer than the jobs of the short form take.
 */
const MAX_GROWTH = LONG
  ? { processes: { heap: 300, rss: 2_000 }, docker: { heap: 2_000, rss: 40_000 } }
  : { processes: { heap: 40_000, rss: 200_000 }, docker: { heap: 60_000, rss: 5_000_000 } };

/** What connections that are kept for the next call come and go by. */
const SOCKETS_COME_AND_GO = 8;

test('one agent does thousands of jobs as local processes and grows by nothing', async () => {
  const jobs = amount('LEAK_JOBS', 160, 10_000);
  await using scenario = await openScenario('unix:///nowhere', {
    ...SETTINGS,
    SHAREDCLOUD_IMAGES: 'sharedcloud/*',
  });
  const workDir = join(scenario.directory, 'processes');
  await mkdir(workDir);
  const workload = { jobs, batch: jobs / 20, image: CPU_IMAGE, code: NODE_FUNCTION };
  const stats = await runWorkload(scenario, { WORK_DIR: workDir }, workload);
  expectFlat('leaks-processes', stats, MAX_GROWTH.processes);
  expect(await readdir(workDir)).toEqual([]);
  expect(await readdir(join(scenario.directory, 'state', 'jobs'))).toEqual([]);
});

describeDocker('one agent that does hundreds of jobs in containers', (engine) => {
  test('grows by nothing and leaves nothing', async () => {
    const jobs = amount('LEAK_DOCKER_JOBS', 40, 1_000);
    // An image with a volume, as Docker makes one for each container, unless it is kept from that.
    const name = `localhost:5000/sharedcloud/test-${randomUUID()}`;
    await using image = await imageWith(engine, PYTHON, name, ['VOLUME /data']);
    await using watch = await EngineWatch.open(engine);
    await using scenario = await openScenario(engine.host, SETTINGS);
    const workload = { jobs, batch: jobs / (LONG ? 20 : 4), image: image.ref, code: PYTHON_FUNCTION };
    const stats = await runWorkload(scenario, {}, workload);
    expectFlat('leaks-docker', stats, MAX_GROWTH.docker);
    expect(await readdir(join(scenario.directory, 'state', 'jobs'))).toEqual([]);
    const journal = readJournal(join(scenario.directory, 'state'));
    await expectNothingLeft(engine, journal?.agentId ?? '');
    expect(watch.volumes).toEqual([]);
    journal?.close();
  });
});

/** Fails where any of it grows with the number of jobs. */
function expectFlat(
  name: string,
  all: readonly ProcessStats[],
  max: { readonly heap: number; readonly rss: number },
): void {
  const warm = all.filter(({ jobs }) => jobs > WARM_UP * (all.at(-1)?.jobs ?? 0));
  const [first] = warm;
  const last = warm.at(-1);
  if (first === undefined || last === undefined) throw new Error('nothing was measured');
  const heapPerJob = Math.round(growthPerJob(warm, 'heapBytes'));
  const rssPerJob = Math.round(growthPerJob(warm, 'rssBytes'));
  keepFigures(`${name}-all`, all);
  printFigures(name, {
    ...last,
    heapBytesAtFirst: first.heapBytes,
    rssBytesAtFirst: first.rssBytes,
    handlesAtFirst: first.handles,
    journalBytesAtFirst: first.journalBytes,
    heapBytesPerJob: heapPerJob,
    rssBytesPerJob: rssPerJob,
  });
  expect(heapPerJob).toBeLessThan(max.heap);
  expect(rssPerJob).toBeLessThan(max.rss);
  expect(last.handles - last.sockets).toBe(first.handles - first.sockets);
  expect(last.sockets).toBeLessThan(first.sockets + SOCKETS_COME_AND_GO);
  if (!LONG) return;
  // Pruned about once a minute: two minutes' worth is there at max.
  const half = Math.floor(warm.length / 2);
  const maxOf = (some: readonly ProcessStats[], of: 'journalBytes' | 'journalRows'): number =>
    Math.max(...some.map((one) => one[of]));
  for (const of of ['journalBytes', 'journalRows'] as const)
    expect(maxOf(warm.slice(half), of)).toBeLessThan(1.5 * maxOf(warm.slice(0, half), of));
}
