import { expect, test } from 'vitest';
import { LiveOutputs } from '../../../../src/agent/jobs/live-outputs.ts';
import { LIMITS } from '../../../../src/limits.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('what a job prints is remembered while it runs, each stream by itself', () => {
  const outputs = new LiveOutputs();
  const { live } = outputs.open('job-1');
  const sink = live.sink();
  sink('stdout', bytes('out'));
  sink('stderr', bytes('err'));
  expect(outputs.of('job-1')?.after(0).pieces).toEqual([
    { seq: 1, stream: 'stdout', text: 'out' },
    { seq: 2, stream: 'stderr', text: 'err' },
  ]);
  expect(live.after(1).pieces.map(({ text }) => text)).toEqual(['err']);
});

test('a character that comes in two pieces stays one', () => {
  using opened = new LiveOutputs().open('job-1');
  const sink = opened.live.sink();
  const euro = bytes('€');
  sink('stdout', euro.subarray(0, 1));
  sink('stderr', bytes('x'));
  sink('stdout', euro.subarray(1));
  expect(opened.live.after(0).pieces.map(({ text }) => text)).toEqual(['x', '€']);
});

test('only the end is remembered, and a reader learns that it missed something', () => {
  using opened = new LiveOutputs().open('job-1');
  const sink = opened.live.sink();
  sink('stdout', bytes('first'));
  for (let n = 0; n < 200; n += 1) sink('stdout', bytes('x'.repeat(1_024)));
  const { leftOut, pieces } = opened.live.after(1);
  expect(leftOut).toBe(200 - pieces.length);
  expect(pieces.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(
    LIMITS.job.liveOutput.max,
  );
  sink('stdout', bytes('y'.repeat(1_000_000)));
  expect(opened.live.after(0).pieces.map(({ text }) => text.length)).toEqual([LIMITS.job.liveOutput.max]);
});

test('output that is read again from its beginning is remembered once', () => {
  using opened = new LiveOutputs().open('job-1');
  opened.live.sink()('stdout', bytes('begin'));
  opened.live.sink()('stdout', bytes('begin and end'));
  expect(opened.live.after(0).pieces.map(({ text }) => text)).toEqual(['begin and end']);
});

test('the end of a job is the end of its output', () => {
  const outputs = new LiveOutputs();
  const opened = outputs.open('job-1');
  opened[Symbol.dispose]();
  expect(outputs.of('job-1')).toBeUndefined();
  expect(opened.live.isOver).toBe(true);
});
