import { expect, test } from 'vitest';
import { RollupRecorder } from '../../../../src/agent/gpu-health/rollup-recorder.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { energyJ, type GpuRollup } from '../../../../src/domain/gpu-rollup.ts';
import { aSample } from '../../../support/agent/manual-sampler.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';

function recording() {
  const clock = new ManualClock(Date.UTC(2026, 10, 27, 12));
  const over = new AbortController();
  const log: string[] = [];
  const writes: (readonly GpuRollup[])[] = [];
  const disk: { error: Error | undefined } = { error: undefined };
  const rollups = {
    add: (some: readonly GpuRollup[]): void => {
      if (disk.error !== undefined) throw disk.error;
      writes.push(some);
    },
  };
  const recorder = new RollupRecorder({ rollups, clock, log: logInto(log), signal: over.signal });
  /** A sample a second for so many seconds. */
  const pass = (seconds: number, powerW = 100): void => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      recorder.record([aSample({ uuid: 'GPU-1', at: clock.now(), powerW })]);
    }
  };
  const energy = (): number => writes.flat().reduce((total, rollup) => total + (energyJ(rollup) ?? 0), 0);
  return { pass, writes, energy, disk, log, end: () => over.abort() };
}

test('is written once a minute, and the rest at the end', () => {
  const { end, energy, pass, writes } = recording();
  pass(59);
  expect(writes).toHaveLength(0);
  pass(130);
  expect(writes).toHaveLength(3);
  end();
  expect(writes).toHaveLength(4);
  expect(energy()).toBeCloseTo(188 * 100);
});

test('without samples nothing is written', () => {
  const { end, writes } = recording();
  end();
  expect(writes).toEqual([]);
});

test('a disk that refuses it is logged once, and what could not be written is written later', () => {
  const { disk, energy, log, pass, writes } = recording();
  disk.error = new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
  pass(200);
  expect(writes).toEqual([]);
  expect(logged(log, 'gpu-use-not-written')).toMatchObject([{ code: 'STATE_DIR_UNUSABLE' }]);
  disk.error = undefined;
  pass(60);
  expect(writes).toHaveLength(1);
  expect(energy()).toBeGreaterThan(230 * 100);
});
