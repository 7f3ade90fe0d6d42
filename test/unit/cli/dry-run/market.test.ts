import { describe, expect, test } from 'vitest';
import { LiveMarket } from '../../../../src/cli/dry-run/live/market.ts';
import { LIVE_ASK, LIVE_SAMPLES, REFUSED_SAMPLES } from '../../../../src/cli/dry-run/live/samples.ts';
import { openMarket } from '../../../../src/cli/dry-run/market.ts';
import { JOB_STATUS } from '../../../../src/domain/job.ts';
import { INSTANCE_TYPE } from '../../../../src/embedded/broker/store/rows.ts';
import { SeededRandom } from '../../../../src/lib/seeded-random.ts';

const IMAGES = { node: { registryPath: 'sharedcloud/node24:latest', runtime: 'node24' } };

async function open() {
  const market = await openMarket([], IMAGES, 'gpu');
  const { store } = market.broker;
  const buyers = new LiveMarket(market, 'node', REFUSED_SAMPLES, new SeededRandom(15));
  const instance = store.instances.get(
    store.addInstance({
      name: 'host',
      type: INSTANCE_TYPE.GPU,
      gpu: store.gpus.all().find(({ codename }) => codename === 'rtx4090')?.uuid ?? null,
      askPrice: LIVE_ASK,
      maxNumParallelJobs: 1,
    }),
  );
  const runs = () => store.market.runs.all();
  return {
    buyers,
    runs,
    /** Takes and ends all jobs that wait to be taken. */
    work: () => {
      const report = { status: JOB_STATUS.SUCCEEDED, buildLogs: '', stdout: '', stderr: '', result: '' };
      for (const { uuid } of runs().filter(({ functionName }) => TAKEN.has(functionName)))
        for (const job of store.jobsOf(uuid).filter(({ status }) => status === JOB_STATUS.CREATED)) {
          store.market.change(job.uuid, instance, { kind: 'claim' });
          store.market.change(job.uuid, instance, { kind: 'report', report });
        }
    },
    [Symbol.asyncDispose]: () => market.broker.close(),
  };
}

const TAKEN = new Set(LIVE_SAMPLES.map(({ name }) => name));

describe('the market of a dry run that goes on', () => {
  test('begins with one run of each kind that is not taken, and with jobs to take', async () => {
    await using live = await open();
    const names = live.runs().map(({ functionName }) => functionName);
    for (const { name } of REFUSED_SAMPLES) expect(names.filter((other) => other === name)).toHaveLength(1);
    expect(names).toContain(LIVE_SAMPLES[0]?.name);
  });

  test('adds jobs only while few wait', async () => {
    await using live = await open();
    const before = live.runs();
    for (let step = 0; step < 10; step += 1) live.buyers.step();
    expect(live.runs()).toHaveLength(before.length);
    live.work();
    live.buyers.step();
    expect(live.runs().length).toBeGreaterThan(before.length);
  });

  test('goes on without end, and forgets what is over', async () => {
    await using live = await open();
    const seen = new Set<string>();
    for (let step = 0; step < 500; step += 1) {
      live.work();
      live.buyers.step();
      for (const { functionName } of live.runs()) seen.add(functionName);
    }
    expect(live.runs().length).toBeLessThan(60);
    expect([...TAKEN].filter((name) => !seen.has(name))).toEqual([]);
  });

  test('replaces what nobody takes from time to time, and never lists it twice', async () => {
    await using live = await open();
    const before = new Set(live.runs().map(({ uuid }) => uuid));
    for (let step = 0; step < 200; step += 1) live.buyers.step();
    const refused = live
      .runs()
      .filter(({ functionName }) => REFUSED_SAMPLES.some(({ name }) => name === functionName));
    expect(refused).toHaveLength(REFUSED_SAMPLES.length);
    expect(refused.filter(({ uuid }) => before.has(uuid))).toEqual([]);
  });
});
