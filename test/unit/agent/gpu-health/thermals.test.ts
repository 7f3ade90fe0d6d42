import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { GpuCordons } from '../../../../src/agent/gpu-health/cordons.ts';
import { Thermals } from '../../../../src/agent/gpu-health/thermals.ts';
import { aJobOn, openGpuScenario } from '../../../support/agent/gpu-scenario.ts';
import { aSample } from '../../../support/agent/manual-sampler.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';
import { aGpu } from '../../../support/domain.ts';

const HOT = aGpu({ uuid: 'GPU-hot', index: 0, model: 'NVIDIA T4', busId: '00000000:01:00.0' });
const OTHER = aGpu({ uuid: 'GPU-other', index: 1, model: 'NVIDIA L4', busId: '00000000:02:00.0' });
const SLICED = aGpu({
  uuid: 'GPU-sliced',
  model: 'NVIDIA T4',
  migMode: true,
  slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }],
});
const LIMIT = { maxGpuTemperature: { 'NVIDIA T4': 80 } };

test('a GPU at the limit of its model gets no jobs until it is 5 K below, and each change is said once', async () => {
  await using scenario = await openGpuScenario([HOT, OTHER], LIMIT);
  const { cordons, kinds, samples } = scenario;
  const heat = (temperatureC: number | undefined): void =>
    samples.give(aSample({ uuid: 'GPU-hot', temperatureC }), aSample({ uuid: 'GPU-other', temperatureC }));
  heat(79);
  expect(cordons()).toEqual([]);
  for (const temperatureC of [80, 84, undefined, 76, 80]) {
    heat(temperatureC);
    expect(cordons()).toEqual(['GPU-hot']);
  }
  expect(kinds()).toEqual(['gpu-cordoned']);
  heat(75);
  expect(cordons()).toEqual([]);
  expect(kinds()).toEqual(['gpu-cordoned', 'gpu-uncordoned']);
});

test('a hot GPU is sampled every second until it has cooled, and its jobs go on', async () => {
  await using scenario = await openGpuScenario([HOT], LIMIT);
  const { health, samples } = scenario;
  const job = aJobOn(HOT, 'job');
  scenario.start(job);
  samples.give(aSample({ uuid: 'GPU-hot', temperatureC: 90 }));
  expect(await health.hostFault(job)).toBeUndefined();
  scenario.end(job);
  expect(samples.watchers).toBe(1);
  samples.give(aSample({ uuid: 'GPU-hot', temperatureC: 60 }));
  expect(samples.watchers).toBe(0);
});

test('all slices of a hot GPU get no jobs, and none is hot where it sleeps', async () => {
  await using scenario = await openGpuScenario([SLICED], LIMIT);
  const { cordons, samples } = scenario;
  samples.give(aSample({ uuid: 'GPU-sliced', temperatureC: 90 }));
  expect(cordons()).toContain('MIG-1');
  samples.give(aSample({ uuid: 'GPU-sliced', asleep: true }));
  expect(cordons()).toEqual([]);
});

test('an unknown GPU is not cordoned', async () => {
  await using scenario = await openGpuScenario([HOT], LIMIT);
  scenario.samples.give(aSample({ uuid: 'GPU-new', temperatureC: 120 }));
  expect(scenario.cordons()).toEqual([]);
});

test('a GPU that heat slows down for a minute is reported once, and once that it no longer is', () => {
  const events: AgentEvent[] = [];
  const observe = (event: AgentEvent): void => void events.push(event);
  const clock = new ManualClock();
  const cordons = new GpuCordons(observe, () => undefined);
  const thermals = new Thermals({
    cordons,
    observe,
    clock,
    maxGpuTemperature: () => Number.POSITIVE_INFINITY,
  });
  cordons.learn([HOT]);
  thermals.learn([HOT]);
  const pass = (seconds: number, throttle: 'hw_thermal' | 'power_cap'): void => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      thermals.record([aSample({ uuid: 'GPU-hot', temperatureC: 91, throttle: [throttle] })]);
    }
  };
  pass(60, 'power_cap');
  pass(59, 'hw_thermal');
  expect(events).toEqual([]);
  pass(600, 'hw_thermal');
  expect(events).toMatchObject([
    { kind: 'gpu-throttled', gpu: { uuid: 'GPU-hot' }, reasons: ['hw_thermal'], temperatureC: 91 },
  ]);
  pass(600, 'power_cap');
  expect(events.map(({ kind }) => kind)).toEqual(['gpu-throttled', 'gpu-unthrottled']);
});
