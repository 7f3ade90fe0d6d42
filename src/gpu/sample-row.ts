import { type GpuSample, throttleReasons } from '../domain/gpu-sample.ts';
import { figureIn } from './csv.ts';
import { knownFields } from './fields.ts';

/** What a sample is made of, each with the names that drivers have for it, the newest first. */
const COLUMNS = {
  displayActive: ['display_active'],
  pstate: ['pstate'],
  throttle: ['clocks_event_reasons.active', 'clocks_throttle_reasons.active'],
  utilization: ['utilization.gpu'],
  memoryUsed: ['memory.used'],
  memoryFree: ['memory.free'],
  memoryTotal: ['memory.total'],
  temperature: ['temperature.gpu'],
  fan: ['fan.speed'],
  // A card may know a field of its driver only as [N/A], so all three are queried.
  powerAverage: ['power.draw.average'],
  powerInstant: ['power.draw.instant'],
  power: ['power.draw'],
  powerLimit: ['power.limit'],
  smClock: ['clocks.current.sm', 'clocks.sm'],
  // Last, so that a row that is cut off belongs to no known GPU.
  uuid: ['uuid'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type ColumnKey = keyof typeof COLUMNS;

/** A column of the query: what it means, and its name in this driver. */
export type Column = { readonly key: ColumnKey; readonly field: string };

/** What every driver knows. */
const EVERY_DRIVER: ReadonlySet<string> = new Set([
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'uuid',
]);

/** The columns to query, from what `--help-query-gpu` prints. One unknown field would fail the whole query. */
export function columnsOf(help: string): readonly Column[] {
  const listed = knownFields(help);
  const known = listed.size === 0 ? EVERY_DRIVER : listed;
  return KEYS.flatMap((key) => {
    const field = COLUMNS[key].find((name) => known.has(name));
    return field === undefined ? [] : [{ key, field }];
  });
}

const KEYS = Object.keys(COLUMNS).filter((key): key is ColumnKey => Object.hasOwn(COLUMNS, key));

/** More than this is no measurement: drivers have answered with the largest number that there is. */
const PLAUSIBLE = {
  percent: 100,
  fanPercent: 1_000,
  celsius: 200,
  watts: 10_000,
  mhz: 100_000,
  mib: 100_000_000,
};

/** The sample in a row that was read at `at`; undefined: it is no row. Never throws. */
export function sampleIn(row: string, columns: readonly Column[], at: number): GpuSample | undefined {
  const cells = row.split(',');
  if (cells.length !== columns.length) return undefined;
  const texts: Partial<Record<ColumnKey, string | undefined>> = {};
  for (const [index, { key }] of columns.entries()) texts[key] = cells[index]?.trim();
  const figure = (key: ColumnKey, max: number): number | undefined => {
    const value = figureIn(texts[key] ?? '');
    return value !== undefined && value <= max ? value : undefined;
  };
  const { celsius, fanPercent, mhz, mib, percent, watts } = PLAUSIBLE;
  const { displayActive, pstate, throttle, uuid = '' } = texts;
  if (!/^GPU-[\w-]{1,80}$/.test(uuid)) return undefined;
  return {
    uuid,
    at,
    utilizationPercent: figure('utilization', percent),
    memoryUsedMiB: figure('memoryUsed', mib),
    memoryFreeMiB: figure('memoryFree', mib),
    memoryTotalMiB: figure('memoryTotal', mib),
    temperatureC: figure('temperature', celsius),
    fanPercent: figure('fan', fanPercent),
    powerW: figure('powerAverage', watts) ?? figure('powerInstant', watts) ?? figure('power', watts),
    powerLimitW: figure('powerLimit', watts),
    smClockMHz: figure('smClock', mhz),
    throttle: throttleReasons(throttle ?? ''),
    pstate: /^P\d{1,2}$/.test(pstate ?? '') ? pstate : undefined,
    displayActive: { Enabled: true, Disabled: false, Yes: true, No: false }[displayActive ?? ''],
    asleep: false,
  };
}
