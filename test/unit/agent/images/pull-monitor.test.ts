import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { pullText } from '../../../../src/agent/events/pull-text.ts';
import { PullMonitor } from '../../../../src/agent/images/pull-monitor.ts';

const REF = 'sharedcloud/x';

/** A monitor of pulls that a test drives. */
function monitoring() {
  let now = 0;
  const events: AgentEvent[] = [];
  const lines: (readonly [second: number, doneBytes: number])[] = [];
  const monitor = new PullMonitor({ monotonic: () => now }, (event) => void events.push(event));
  return {
    monitor,
    /** The seconds and bytes of each line. */
    lines,
    events,
    /** Ten steps a second for so many seconds, each second of so many bytes. */
    download: (seconds: number, bytesPerSecond: number, totalBytes: number, unknownLayers = 0): void => {
      const began = monitor.pulls[0]?.doneBytes ?? 0;
      for (let step = 1; step <= 10 * seconds; step += 1) {
        now += 100;
        const doneBytes = Math.min(began + (step * bytesPerSecond) / 10, totalBytes);
        const before = events.length;
        monitor.report({ ref: REF, doneBytes, totalBytes, unknownLayers, finished: false });
        if (events.length > before) lines.push([Math.floor(now / 1000), doneBytes]);
      }
    },
    finish: (): void =>
      monitor.report({ ref: REF, doneBytes: 0, totalBytes: 0, unknownLayers: 0, finished: true }),
    pass: (ms: number): void => void (now += ms),
  };
}

test('a pull of less than ten seconds is not reported', () => {
  const { download, events, finish, monitor } = monitoring();
  download(9, 100, 1_000);
  finish();
  expect(events).toEqual([]);
  expect(monitor.pulls).toEqual([]);
});

test('a pull is reported ever more rarely, and at each quarter', () => {
  const pull = monitoring();
  pull.download(400, 10, 4_000);
  const seconds = pull.lines.map(([second]) => second);
  expect(seconds).toEqual([10, 30, 70, 100, 160, 200, 260, 300, 360]);
});

test('a pull has a rate and the seconds that are left', () => {
  const { download, events, monitor } = monitoring();
  download(10.1, 100, 4_000);
  const status = {
    image: REF,
    totalBytes: 4_000,
    unknownLayers: 0,
    bytesPerSecond: 100,
    secondsLeft: 30,
  };
  expect(events).toMatchObject([{ kind: 'image-pulling', ...status }]);
  expect(monitor.pulls).toMatchObject([status]);
});

test('the rate is the one of the last seconds, also while nothing comes', () => {
  const { download, monitor, pass } = monitoring();
  download(30, 100, 1e6);
  download(30, 1_000, 1e6);
  expect(monitor.pulls[0]?.bytesPerSecond).toBeCloseTo(1_000, -2);
  pass(90_000);
  expect(monitor.pulls[0]?.bytesPerSecond).toBeLessThan(120);
});

test('the seconds left are unknown while sizes are, and during the unpacking', () => {
  const { download, monitor } = monitoring();
  download(20, 100, 4_000, 2);
  expect(monitor.pulls[0]).toMatchObject({ unknownLayers: 2, secondsLeft: undefined });
  download(40, 100, 4_000);
  expect(monitor.pulls[0]).toMatchObject({ doneBytes: 4_000, secondsLeft: undefined });
});

test.each([
  [{ doneBytes: 1e9, totalBytes: 2e9, unknownLayers: 0, secondsLeft: 100 }, /1 GB of 2 GB.*1m40s/],
  [{ doneBytes: 1e9, totalBytes: 2e9, unknownLayers: 3, secondsLeft: undefined }, /at least 2 GB/],
  [{ doneBytes: 2e9, totalBytes: 2e9, unknownLayers: 0, secondsLeft: undefined }, /^unpacking/],
  [{ doneBytes: 0, totalBytes: 0, unknownLayers: 0, secondsLeft: undefined }, /^pulling/],
])('a pull is described for people: %j', (status, text) => {
  expect(pullText({ image: REF, bytesPerSecond: 1e7, ...status })).toMatch(text);
});
