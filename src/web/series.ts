import type { Earnings, History } from './answers.ts';
import { DAY } from './time-units.ts';

type HistoryPoint = History['gpus'][number]['points'][number];

/** What of a GPU's use is plotted. */
export type UsageField = Exclude<keyof HistoryPoint, 'at'>;

/** The figures of one GPU; null: nothing was measured. */
export type Line = {
  readonly key: string;
  readonly label: string;
  readonly values: readonly (number | null)[];
};

/** The figures of a plot. `x` are milliseconds of the wall clock, or of days their indexes; each line has a value for each of them. */
export type Figures = { readonly x: readonly number[]; readonly lines: readonly Line[] };

/** The figures of days; `days` are their dates, such as `2026-11-27`, oldest first. */
export type DayFigures = Figures & { readonly days: readonly string[] };

/**
 * One figure of all GPUs over time. Where the measurements leave out more than a step there is a point without figures, so
 * that no line is drawn over it. Pure.
 */
export function usageFigures({ gpus, stepMs }: History, field: UsageField, factor = 1): Figures {
  const measured = new Set(gpus.flatMap(({ points }) => points.map(({ at }) => Date.parse(at))));
  const x = withGaps(
    [...measured].sort((a, b) => a - b),
    stepMs,
  );
  const lines = gpus.map(({ gpu, name, points }) => {
    const at = new Map(points.map((point) => [Date.parse(point.at), point[field]]));
    return { key: gpu, label: name, values: x.map((time) => scaled(at.get(time) ?? null, factor)) };
  });
  return { x, lines: distinct(lines) };
}

function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}

function withGaps(times: readonly number[], stepMs: number): readonly number[] {
  return times.flatMap((time, index) => {
    const before = times[index - 1];
    return before !== undefined && time - before > stepMs * 1.5 ? [before + stepMs, time] : [time];
  });
}

/** What each GPU has earned on each of the last `count` days; a day without a job is zero. Pure. */
export function earningsFigures(
  { days, today }: Pick<Earnings, 'days' | 'today'>,
  count: number,
): DayFigures {
  const dates = lastDays(today, count);
  const byDay = new Map(days.map((day) => [day.day, day.gpus]));
  const names = new Map(days.flatMap(({ gpus }) => gpus.map(({ gpu, name }) => [gpu, name] as const)));
  const lines = [...names].map(([gpu, label]) => ({
    key: gpu,
    label,
    values: dates.map((day) => byDay.get(day)?.find((one) => one.gpu === gpu)?.earned ?? 0),
  }));
  return { x: dates.map((_day, index) => index), lines: distinct(lines), days: dates };
}

/** The last `count` days up to this one, oldest first: dates of a calendar, which know no hours. Pure. */
export function lastDays(today: string, count: number): readonly string[] {
  const last = Date.parse(`${today}T00:00:00Z`);
  return Array.from({ length: count }, (_none, index) =>
    new Date(last - (count - 1 - index) * DAY).toISOString().slice(0, 10),
  );
}

/** Each line on top of those before it. Pure. */
export function stacked({ lines }: Figures): readonly (readonly number[])[] {
  const sums: number[][] = [];
  for (const { values } of lines) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return sums;
}

/** The sum of all lines at an index. Pure. */
export function totalAt({ lines }: Figures, index: number): number {
  return lines.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
}

/** GPUs of the same name are distinguished by the beginning of their uuid. */
function distinct(lines: readonly Line[]): readonly Line[] {
  const names = new Map<string, number>();
  for (const { label } of lines) names.set(label, (names.get(label) ?? 0) + 1);
  return lines.map((line) =>
    (names.get(line.label) ?? 0) > 1
      ? { ...line, label: `${line.label} (${line.key.replace(/^(GPU|MIG)-/, '').slice(0, 4)})` }
      : line,
  );
}
