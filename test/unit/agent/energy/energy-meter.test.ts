import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { flatTariff } from '../../../../src/pricing/tariff.ts';
import { aJobOn } from '../../../support/agent/gpu-scenario.ts';
import { Metering } from '../../../support/agent/metering.ts';
import { aGpu } from '../../../support/domain.ts';
import { logged } from '../../../support/log/log-into.ts';

const GPU = aGpu({ uuid: 'GPU-1', model: 'NVIDIA GeForce RTX 3090', powerLimitW: 350 });
const A = aJobOn('GPU-1', 'a');
const B = aJobOn('GPU-1', 'b');

/** A meter that knows that the GPU takes 20 W idle. */
function idleFor(seconds = 60, metering = new Metering([GPU])): Metering {
  metering.sample({ 'GPU-1': 20 });
  metering.pass(seconds, 20);
  return metering;
}

describe('the energy of a job', () => {
  test('is what its GPU takes while it runs, and apart what that takes idle', () => {
    const metering = idleFor();
    metering.start(A);
    metering.pass(100, 300);
    expect(metering.end(A)).toMatchObject({ coveredMs: 100_000, ms: 100_000, isEstimate: false });
    const { idleJoules = 0, joules = 0 } = metering.store.of('a') ?? {};
    // The first second leads from 20 W to 300 W.
    expect(joules).toBeCloseTo(99 * 300 + 160);
    expect(idleJoules).toBeCloseTo(100 * 20);
    metering.pass(30, 20);
    metering.stop();
    // After the end one second leads back.
    expect(metering.store.idleJoules).toBeCloseTo(60 * 20 + 160 + 29 * 20);
  });

  test('begins and ends between samples', () => {
    const metering = idleFor();
    metering.clock.advance(600);
    metering.start(A);
    metering.clock.advance(400);
    metering.sample({ 'GPU-1': 300 });
    metering.pass(10, 300);
    metering.clock.advance(700);
    expect(metering.end(A)).toMatchObject({ ms: 11_100, coveredMs: 11_100 });
    expect(metering.store.of('a')?.joules).toBeCloseTo(0.4 * 160 + 10 * 300 + 0.7 * 300);
  });

  test('of one that starts and ends between two samples is known, too', () => {
    const metering = idleFor();
    metering.clock.advance(200);
    metering.start(A);
    metering.clock.advance(300);
    expect(metering.end(A)).toMatchObject({ joules: 6, idleJoules: 6, coveredMs: 300, isEstimate: false });
  });

  test('is shared by those that are on the GPU at the same time', () => {
    const metering = idleFor();
    metering.start(A);
    metering.start(B);
    metering.pass(50, 20);
    metering.pass(50, 20);
    metering.end(B);
    metering.pass(100, 20);
    metering.end(A);
    expect(metering.store.of('a')).toMatchObject({ joules: 50 * 20 + 100 * 20, coveredMs: 200_000 });
    expect(metering.store.of('b')).toMatchObject({ joules: 50 * 20, idleJoules: 50 * 20 });
  });

  test('on slices is shared by their sizes', () => {
    const slices = [
      { uuid: 'MIG-3', profile: '3g.40gb' },
      { uuid: 'MIG-1', profile: '1g.10gb' },
    ];
    const metering = idleFor(60, new Metering([{ ...GPU, migMode: true, slices }]));
    metering.start(aJobOn('MIG-3', 'a'));
    metering.start(aJobOn('MIG-1', 'b'));
    metering.pass(100, 20);
    metering.end(aJobOn('MIG-3', 'a'));
    metering.end(aJobOn('MIG-1', 'b'));
    const [large, small] = ['a', 'b'].map((job) => metering.store.of(job)?.joules ?? 0);
    expect([large, small]).toEqual([expect.closeTo(1_500), expect.closeTo(500)]);
    expect(metering.meter.powerModel('MIG-3').idleW).toBeCloseTo((20 * 3) / 7);
  });

  test('lacks what a gap beyond 90 s has, and is then an estimate', () => {
    const metering = idleFor();
    metering.start(A);
    metering.pass(100, 300);
    metering.clock.advance(200_000);
    metering.sample({ 'GPU-1': 300 });
    metering.pass(99, 300);
    expect(metering.end(A)).toMatchObject({ coveredMs: 289_000, ms: 399_000, isEstimate: true });
  });

  test('is known where the power cannot be read for a moment', () => {
    const metering = idleFor();
    metering.start(A);
    metering.sample({ 'GPU-1': 200 });
    for (let n = 0; n < 100; n += 1) {
      metering.clock.advance(1_000);
      metering.sample({ 'GPU-1': n % 10 === 5 ? undefined : 200 });
    }
    expect(metering.end(A)).toMatchObject({ joules: 20_000, coveredMs: 100_000, isEstimate: false });
  });

  test('has no more of a gap in which jobs come and go than of any other', () => {
    const metering = idleFor();
    metering.start(A);
    metering.sample({ 'GPU-1': 200 });
    for (let n = 0; n < 10; n += 1) {
      metering.clock.advance(30_000);
      metering.end(metering.start(aJobOn('GPU-1', `${n}`)));
    }
    expect(metering.end(A)).toMatchObject({ joules: 18_000, coveredMs: 90_000, ms: 300_000 });
    metering.start(B);
    metering.sample({ 'GPU-1': 200 });
    metering.clock.advance(60_000);
    metering.end(metering.start(aJobOn('GPU-1', 'c')));
    metering.clock.advance(1_000_000);
    metering.sample({ 'GPU-1': 200 });
    expect(metering.end(B)).toMatchObject({ joules: 18_000, coveredMs: 90_000 });
  });

  test('ends with the last sample where the GPU has been lost for long', () => {
    const metering = idleFor();
    metering.start(A);
    metering.pass(100, 300);
    metering.clock.advance(120_000);
    expect(metering.end(A)).toMatchObject({ coveredMs: 100_000, ms: 220_000, isEstimate: true });
    // When the GPU is back, nothing of the time before counts for it.
    metering.sample({ 'GPU-1': 20 });
    metering.stop();
    expect(metering.store.idleJoules).toBeCloseTo(60 * 20);
  });

  test('is unknown without any sample, and where the power cannot be read', () => {
    const metering = new Metering([GPU]);
    metering.start(A);
    metering.clock.advance(10_000);
    expect(metering.end(A)).toMatchObject({ coveredMs: 0, ms: 10_000, isEstimate: true });
    metering.sample({ 'GPU-1': undefined });
    metering.start(B);
    metering.clock.advance(1_000);
    metering.sample({ 'GPU-1': undefined });
    expect(metering.end(B)).toMatchObject({ coveredMs: 0, powerMicroDollars: undefined });
  });

  test('without a GPU is for nobody to measure', () => {
    const metering = idleFor();
    const job = { ...A, gpu: null };
    metering.start(job);
    metering.pass(10, 20);
    expect(metering.end(job)).toBeUndefined();
    metering.stop();
    expect(metering.store.idleJoules).toBeCloseTo(70 * 20);
  });

  test('is none while the GPU is powered down', () => {
    const metering = idleFor();
    metering.sample({ 'GPU-1': 'asleep' });
    metering.start(A);
    metering.clock.advance(60_000);
    metering.sample({ 'GPU-1': 'asleep' });
    expect(metering.end(A)).toMatchObject({ joules: 0, idleJoules: 0, coveredMs: 60_000 });
  });

  test('is an estimate as long as nothing is known of the idle watts, which are taken as 0', () => {
    const metering = new Metering([GPU]);
    metering.sample({ 'GPU-1': 20 });
    metering.start(A);
    metering.pass(100, 300);
    expect(metering.end(A)).toMatchObject({ idleJoules: 0, coveredMs: 100_000, isEstimate: true });
    expect(metering.meter.powerModel('GPU-1').idleW).toBeUndefined();
  });

  test('is an estimate where the sensor sees a part of the time', () => {
    const metering = idleFor(60, new Metering([{ ...GPU, model: 'NVIDIA H100 80GB HBM3' }]));
    metering.start(A);
    metering.pass(100, 300);
    expect(metering.end(A)).toMatchObject({ isEstimate: true, coveredMs: 100_000 });
  });

  test('is priced where there is a tariff', () => {
    const electricity = {
      tariff: () => flatTariff(0.36),
      wall: { perGpuWatt: 1, hostW: 0 },
      wearPerHour: 0,
      brokerFee: 0,
    };
    const metering = idleFor(60, new Metering([GPU], electricity));
    metering.start(A);
    metering.pass(100, 20);
    // 100 s longer than was seen of it, at 20 W above idle: none.
    expect(metering.end(A)).toMatchObject({ powerMicroDollars: 0, isCostEstimate: false });
    metering.start(B);
    metering.sample({ 'GPU-1': 120 });
    metering.pass(100, 120);
    expect(metering.end(B)?.powerMicroDollars).toBe(1_000);
    metering.stop();
    const idle = metering.store.saves.flatMap((save) => save.idle);
    // 60 s of 20 W; rounding never adds up.
    expect(idle.reduce((sum, use) => sum + (use.powerMicroDollars ?? 0), 0)).toBe(120);
  });

  test('is the same when the write of its end is tried again', () => {
    const metering = idleFor();
    metering.start(A);
    metering.pass(10, 300);
    const first = metering.store.end(A);
    metering.pass(20, 300);
    expect(metering.end(A)).toEqual(first);
  });

  test('lasts as long as the report says', () => {
    const metering = idleFor();
    metering.start(A);
    metering.pass(10, 300);
    expect(metering.end(A, 9_500)).toMatchObject({ ms: 9_500, coveredMs: 9_500 });
  });
});

describe('a job that outlives the agent', () => {
  test('is taken up by the next, and what nobody has seen is not measured', () => {
    const metering = idleFor();
    const job = metering.start(A);
    metering.pass(100, 300);
    metering.stop();
    metering.clock.advance(50_000);
    metering.restart();
    metering.meter.started(job);
    metering.sample({ 'GPU-1': 300 });
    metering.pass(50, 300);
    const energy = metering.end(job);
    expect(energy).toMatchObject({ coveredMs: 150_000, ms: 200_000, isEstimate: true });
    expect(energy?.joules).toBeCloseTo(149 * 300 + 160);
    // Known from before the restart.
    expect(energy?.idleJoules).toBeCloseTo(150 * 20);
  });

  test('loses at most a minute when the agent is killed', () => {
    const metering = idleFor();
    const job = metering.start(A);
    metering.pass(130, 300);
    metering.restart();
    metering.meter.started(job);
    expect(metering.end(job)?.coveredMs).toBeGreaterThanOrEqual(70_000);
  });

  test('and has ended when the next comes, has what was written', () => {
    const metering = idleFor();
    const job = metering.start(A);
    metering.pass(100, 300);
    metering.stop();
    metering.restart();
    expect(metering.store.end(job, 150_000)).toMatchObject({
      coveredMs: 100_000,
      ms: 150_000,
      isEstimate: true,
    });
  });
});

describe('the power of a GPU', () => {
  test('is that of its jobs, once there are some', () => {
    const metering = idleFor();
    expect(metering.meter.powerModel('GPU-1')).toEqual({ idleW: 20, busyW: 350, isMeasured: false, jobs: 0 });
    for (const watts of [200, 250, 180, 100]) {
      const job = metering.start(aJobOn('GPU-1', `${watts}`));
      metering.sample({ 'GPU-1': watts });
      metering.pass(100, watts);
      metering.end(job);
      metering.pass(60, 20);
    }
    const model = metering.meter.powerModel('GPU-1');
    expect(model).toMatchObject({ idleW: 20, isMeasured: true });
    expect(model.busyW).toBeCloseTo(250, 0);
    metering.stop();
    metering.restart();
    expect(metering.meter.powerModel('GPU-1')).toEqual(model);
  });

  test('is not that of a job that has hardly begun', () => {
    const metering = idleFor();
    metering.start(A);
    metering.pass(5, 90);
    metering.end(A);
    expect(metering.meter.powerModel('GPU-1').isMeasured).toBe(false);
  });

  test('idle is not what it takes just before and after jobs, nor more than half of its limit', () => {
    const metering = new Metering([GPU]);
    for (let n = 0; n < 100; n += 1) {
      const job = metering.start(aJobOn('GPU-1', `${n}`));
      metering.sample({ 'GPU-1': 300 });
      metering.pass(20, 300);
      metering.end(job);
      metering.pass(5, 120);
    }
    expect(metering.meter.powerModel('GPU-1').idleW).toBeUndefined();
    metering.pass(300, 200);
    expect(metering.meter.powerModel('GPU-1').idleW).toBeUndefined();
    metering.pass(7_200, 22);
    expect(metering.meter.powerModel('GPU-1').idleW).toBeCloseTo(22);
  });

  test('idle is what it takes most of the time without a job, whatever its owner does', () => {
    const metering = idleFor(1_200);
    metering.pass(3_000, 180);
    expect(metering.meter.powerModel('GPU-1').idleW).toBeCloseTo(20);
  });
});

describe('what is written', () => {
  test('waits for a disk that refuses it, and is logged once', () => {
    const metering = new Metering([GPU]);
    metering.store.error = new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
    idleFor(200, metering);
    expect(metering.store.saves).toEqual([]);
    expect(logged(metering.log, 'energy-not-written')).toMatchObject([{ code: 'STATE_DIR_UNUSABLE' }]);
    metering.store.error = undefined;
    metering.stop();
    expect(metering.store.idleJoules).toBeCloseTo(200 * 20);
  });
});
