import { describe, expect, test } from 'vitest';
import type { History } from '../../../src/web/answers.ts';
import { earningsFigures, lastDays, stacked, totalAt, usageFigures } from '../../../src/web/series.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-27T08:00:00.000Z');

function point(minute: number, powerW: number | null) {
  const at = new Date(START + minute * MINUTE).toISOString();
  return { at, utilizationPercent: null, memoryUsedMiB: 2048, temperatureC: null, powerW };
}

function history(gpus: History['gpus']): History {
  return { span: 'minute', stepMs: MINUTE, gpus };
}

describe('figures of use', () => {
  test('have every time once, and null where a GPU was not measured', () => {
    const { lines, x } = usageFigures(
      history([
        { gpu: 'GPU-a', name: 'A', points: [point(0, 10), point(1, 20)] },
        { gpu: 'GPU-b', name: 'B', points: [point(1, 0), point(2, null)] },
      ]),
      'powerW',
    );
    expect(x).toEqual([0, 1, 2].map((minute) => START + minute * MINUTE));
    expect(lines.map(({ values }) => values)).toEqual([
      [10, 20, null],
      [null, 0, null],
    ]);
  });

  test('have a point without figures where measurements are missing, so that no line bridges it', () => {
    const points = [point(0, 10), point(5, 20)];
    const { lines, x } = usageFigures(history([{ gpu: 'GPU-a', name: 'A', points }]), 'powerW');
    expect(x).toEqual([0, 1, 5].map((minute) => START + minute * MINUTE));
    expect(lines[0]?.values).toEqual([10, null, 20]);
  });

  test('are in another unit by a factor, but for those that are not known', () => {
    const points = [point(0, null)];
    const given = history([{ gpu: 'GPU-a', name: 'A', points }]);
    expect(usageFigures(given, 'memoryUsedMiB', 1 / 1024).lines[0]?.values).toEqual([2]);
    expect(usageFigures(given, 'powerW', 2).lines[0]?.values).toEqual([null]);
  });

  test('tell GPUs of the same name apart', () => {
    const { lines } = usageFigures(
      history([
        { gpu: 'GPU-aaaa-1', name: 'RTX 3090', points: [] },
        { gpu: 'GPU-bbbb-2', name: 'RTX 3090', points: [] },
        { gpu: 'GPU-cccc-3', name: 'A100', points: [] },
      ]),
      'powerW',
    );
    expect(lines.map(({ label }) => label)).toEqual(['RTX 3090 (aaaa)', 'RTX 3090 (bbbb)', 'A100']);
  });
});

describe('figures of earnings', () => {
  const since = '2026-11-26T23:00:00.000Z';

  test('have every day, zero where nothing was earned', () => {
    const gpus = [
      { gpu: 'GPU-a', name: 'A', earned: 1, jobs: 1 },
      { gpu: 'GPU-b', name: 'B', earned: 2, jobs: 1 },
    ];
    const days = [
      { day: '2026-11-25', since, earned: 3, jobs: 2, gpus },
      {
        day: '2026-11-27',
        since,
        earned: 4,
        jobs: 1,
        gpus: [{ gpu: 'GPU-b', name: 'B', earned: 4, jobs: 1 }],
      },
    ];
    const figures = earningsFigures({ today: '2026-11-27', days }, 3);
    expect(figures.days).toEqual(['2026-11-25', '2026-11-26', '2026-11-27']);
    expect(figures.lines.map(({ values }) => values)).toEqual([
      [1, 0, 0],
      [2, 0, 4],
    ]);
    expect(stacked(figures)).toEqual([
      [1, 0, 0],
      [3, 0, 4],
    ]);
    expect([0, 1, 2].map((index) => totalAt(figures, index))).toEqual([3, 0, 4]);
  });

  test('count days of the calendar over a change of clocks and of the year', () => {
    expect(lastDays('2026-10-26', 3)).toEqual(['2026-10-24', '2026-10-25', '2026-10-26']);
    expect(lastDays('2027-01-01', 2)).toEqual(['2026-12-31', '2027-01-01']);
    expect(lastDays('2028-03-01', 2)).toEqual(['2028-02-29', '2028-03-01']);
  });
});
