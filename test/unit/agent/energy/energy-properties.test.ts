import { expect, test } from 'vitest';
import type { JobRecord } from '../../../../src/domain/job.ts';
import { SeededRandom } from '../../../../src/lib/seeded-random.ts';
import { aJobOn } from '../../../support/agent/gpu-scenario.ts';
import { Metering } from '../../../support/agent/metering.ts';
import { aGpu } from '../../../support/domain.ts';

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);
const SLICES = [
  { uuid: 'MIG-1', profile: '1g.10gb' },
  { uuid: 'MIG-2', profile: '2g.20gb' },
];
const GPUS = [aGpu({ uuid: 'GPU-1' }), aGpu({ uuid: 'GPU-2', migMode: true, slices: SLICES })];
const PLACES = ['GPU-1', 'MIG-1', 'MIG-2'] as const;

test.each(SEEDS)('jobs and idle GPUs together take what the GPUs take (seed %i)', (seed) => {
  const random = new SeededRandom(seed);
  const metering = new Metering(GPUS);
  const running: JobRecord[] = [];
  const watts = (): number | undefined => (random.next() < 0.05 ? undefined : random.between(10, 400));
  for (let n = 0; n < 400; n += 1) {
    metering.clock.advance(random.oneOf([0, 1, 300, 1_000, 1_000, 7_000, 60_000, 200_000]));
    const what = random.next();
    if (what < 0.6) metering.sample({ 'GPU-1': watts(), 'GPU-2': random.next() < 0.1 ? 'asleep' : watts() });
    else if (what < 0.8) running.push(metering.start(aJobOn(random.oneOf(PLACES), `${n}`)));
    else {
      const job = running.splice(Math.floor(random.next() * running.length), 1)[0];
      if (job !== undefined) metering.end(job);
    }
  }
  for (const job of running) metering.end(job);
  metering.stop();
  const jobs = [...metering.store.ended.values()];
  for (const { coveredMs, idleJoules, joules, ms } of jobs) {
    expect(joules).toBeGreaterThanOrEqual(0);
    expect(idleJoules).toBeGreaterThanOrEqual(0);
    expect(idleJoules).toBeLessThanOrEqual(joules);
    expect(coveredMs).toBeLessThanOrEqual(ms);
  }
  for (const { idle } of metering.store.saves)
    for (const { joules } of idle) expect(joules).toBeGreaterThanOrEqual(0);
  const all = jobs.reduce((sum, { joules }) => sum + joules, metering.store.idleJoules);
  const measured = [...metering.measured.values()].reduce((sum, joules) => sum + joules, 0);
  expect(all).toBeCloseTo(measured, 3);
});

test.each(SEEDS)('what happens at the same time may come in any order (seed %i)', (seed) => {
  /** The same events, each moment's events in another order. */
  const totalsOf = (order: SeededRandom): readonly unknown[] => {
    const random = new SeededRandom(seed);
    const metering = new Metering(GPUS);
    const running: JobRecord[] = [];
    metering.sample({ 'GPU-1': 30 });
    for (let n = 0; n < 60; n += 1) {
      metering.clock.advance(random.oneOf([500, 1_000, 30_000]));
      const watts = random.between(10, 400);
      const ending = random.next() < 0.4 ? running.splice(0, 1) : [];
      const starting = random.next() < 0.4 ? [aJobOn('GPU-1', `${n}`)] : [];
      const events: (() => void)[] = [
        ...ending.map((job) => () => void metering.end(job)),
        ...starting.map((job) => () => void running.push(metering.start(job))),
      ];
      metering.sample({ 'GPU-1': watts });
      const sorted = events.map((event) => ({ event, key: order.next() })).toSorted((a, b) => a.key - b.key);
      for (const { event } of sorted) event();
    }
    metering.stop();
    const jobs = [...metering.store.ended].toSorted(([a], [b]) => Number(a) - Number(b));
    return [
      jobs.map(([job, { joules }]) => [job, Math.round(joules)]),
      Math.round(metering.store.idleJoules),
    ];
  };
  expect(totalsOf(new SeededRandom(1))).toEqual(totalsOf(new SeededRandom(2)));
});

test('a clock that is set back changes nothing of the energy', () => {
  const energies = [0, 3_600_000].map((setBackMs) => {
    const metering = new Metering(GPUS);
    const { clock } = metering;
    const setAt = clock.monotonic() + 100_000;
    clock.now = () => clock.monotonic() - (clock.monotonic() > setAt ? setBackMs : 0);
    metering.sample({ 'GPU-1': 20 });
    metering.pass(60, 20);
    const job = metering.start(aJobOn('GPU-1', 'a'));
    metering.pass(120, 200);
    return metering.end(job);
  });
  expect(energies[1]).toEqual(energies[0]);
});
