import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { statusLines, statusText } from '../../../src/cli/status/render.ts';
import type { Status } from '../../../src/control-api/status-schema.ts';
import { HOLD_KINDS } from '../../../src/domain/hold.ts';
import { aPage } from '../../support/cli/page.ts';
import { aRunningJob, aStatus, aTarget, NOON } from '../../support/control/a-status.ts';

const page = (columns: number, colour = false) => ({ ...aPage(columns), colour });
const figures = {
  at: NOON,
  temperatureC: 71,
  powerW: 340.4,
  powerLimitW: 350,
  memoryUsedMiB: 8_300,
  memoryTotalMiB: 24_576,
  utilizationPercent: 98,
  fanPercent: 60,
  throttle: ['power_cap'],
  asleep: false,
};
const name = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('\u001b[2J\u001b[31m', 'a\nb\r\tc', '\u202e', 'x'.repeat(5_000)),
);
const hold = fc.record({
  kind: fc.constantFrom(...HOLD_KINDS),
  why: name,
  until: fc.option(fc.integer({ min: NOON, max: NOON + 1e11 })),
  hint: fc.option(name),
});
const target = fc
  .record({
    name,
    hold: fc.option(hold),
    slots: fc.nat(3),
    index: fc.option(fc.nat(99)),
    profile: fc.option(name),
  })
  .chain((more) =>
    fc
      .array(
        fc.record({
          function: name,
          ranMs: fc.option(fc.nat(1e9)),
          earned: fc.double({ min: 0, max: 1e5, noNaN: true }),
        }),
        { maxLength: 3 },
      )
      .map((jobs) =>
        aTarget({
          ...more,
          kind: more.profile === null ? 'gpu' : 'slice',
          jobs: jobs.map((job) => aRunningJob(job)),
          figures,
        }),
      ),
  );
const anyStatus: fc.Arbitrary<Status> = fc
  .record({
    sentence: name,
    reason: fc.option(
      hold.chain((one) =>
        fc.array(name, { maxLength: 9 }).map((names) => ({ ...one, names, targets: names })),
      ),
    ),
    problem: fc.option(fc.record({ why: name, hint: fc.option(name) })),
    targets: fc.array(target, { maxLength: 5 }),
    image: name,
    offer: name,
  })
  .map(({ image, offer, ...more }) =>
    aStatus({
      ...more,
      offers: aStatus().offers.map((one) => ({ ...one, name: offer, onMarket: false, why: image })),
      pulls: [
        { image, doneBytes: 1e9, totalBytes: 3e9, unknownLayers: 1, bytesPerSecond: 1e6, secondsLeft: 2_000 },
      ],
      pending: { reports: 3, releases: 1, earned: 1 / 3 },
    }),
  );

test('no line is longer than the page, and no name controls the terminal', () => {
  fc.assert(
    fc.property(anyStatus, fc.integer({ min: 20, max: 200 }), (status, columns) => {
      const lines = statusLines(status, page(columns));
      expect(lines.filter((line) => line.length > columns || /\p{Cc}/u.test(line))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('eight busy GPUs fit a screen of 80 columns and 24 lines', () => {
  const targets = Array.from({ length: 8 }, (_, index) =>
    aTarget({
      target: `GPU-${index}`,
      index,
      jobs: [aRunningJob({ function: 'a-function-of-a-usual-name' })],
      figures,
    }),
  );
  const lines = statusLines(aStatus({ targets }), page(80));
  expect(lines.length).toBeLessThanOrEqual(23);
  expect(lines.filter((line) => line.includes('a-function-of-a-usual-name'))).toHaveLength(8);
});

test('colours change no line but by their own codes', () => {
  const status = aStatus({ problem: { why: 'slow', hint: null }, targets: [aTarget({ figures })] });
  const coloured = statusText(status, page(80, true));
  expect(coloured).not.toBe(statusText(status, page(80)));
  expect(stripVTControlCharacters(coloured)).toBe(statusText(status, page(80)));
});

test.each([
  [{ powerCost: null, net: null, unpricedJobs: 1 }, 'today: $1.5000 confirmed; 1 job: 1 succeeded'],
  [{ powerCost: 0, net: 1.5, unpricedJobs: 0 }, 'today: $1.5000 confirmed; 1 job: 1 succeeded'],
  [
    { powerCost: 0.25, net: 1.25, unpricedJobs: 0 },
    'today: $1.5000 confirmed; power $0.2500, net $1.2500; 1 job: 1 succeeded',
  ],
  [
    { powerCost: 2, net: -0.5, unpricedJobs: 1 },
    'today: $1.5000 confirmed; power $2.0000, net at most -$0.5000; 1 job: 1 succeeded',
  ],
])('says what the day’s power cost with %j', (cost, line) => {
  const { today } = aStatus();
  const jobs = { ...today.jobs, succeeded: 1 };
  const status = aStatus({ today: { ...today, earned: 1.5, jobs, ...cost } });
  expect(statusText(status, page(120)).split('\n')).toContain(line);
});
