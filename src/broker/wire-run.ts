import type { InvalidItem } from '../domain/ports/broker.ts';
import type { Run } from '../domain/run.ts';
import { parseBrokerTime } from './broker-time.ts';
import { DECIMAL_SHAPE, ID_SHAPE } from './fields.ts';

// Written by hand instead of with zod, because it is ten times as fast and a market may have 100,000 runs.

type Fields = Readonly<Record<string, unknown>>;

/** Parses each run of a list by itself; a run that is listed twice counts once. */
export function readRuns(items: readonly unknown[]): {
  readonly runs: readonly Run[];
  readonly invalid: readonly InvalidItem[];
} {
  const runs = new Map<string, Run>();
  const invalid: InvalidItem[] = [];
  const time = memoizedTime();
  for (const item of items) {
    const run = readRun(item, time);
    if (!('reason' in run)) runs.set(run.uuid, run);
    else invalid.push(run);
  }
  return { runs: [...runs.values()], invalid };
}

/** Parses one run, or returns why it is invalid. */
export function readRun(item: unknown, time: typeof parseBrokerTime = parseBrokerTime): Run | InvalidItem {
  if (!isFields(item)) return { uuid: undefined, reason: 'not an object' };
  const { bid_price, created_at, function: functionUuid, num_jobs: numJobs, parameters, uuid } = item;
  // A broker may omit fields that are null.
  const baseGpu = item['base_gpu'] ?? null;
  const wrong = (field: string, should: string): InvalidItem => ({
    uuid: isId(uuid) ? uuid : undefined,
    reason: `${field}: ${item[field] === undefined ? 'missing' : `not ${should}`}`,
  });
  if (!isId(uuid)) return wrong('uuid', 'an id');
  if (!isId(functionUuid)) return wrong('function', 'an id');
  if (baseGpu !== null && !isId(baseGpu)) return wrong('base_gpu', 'an id or null');
  if (typeof parameters !== 'string') return wrong('parameters', 'text');
  if (!isCount(numJobs)) return wrong('num_jobs', 'a whole number');
  const bidPrice = dollars(bid_price);
  if (bidPrice === undefined) return wrong('bid_price', 'an amount of money');
  const createdAt = typeof created_at === 'string' ? time(created_at) : undefined;
  if (createdAt === undefined) return wrong('created_at', 'a time');
  return {
    uuid,
    functionUuid,
    functionName: nameOf(item['function_name']),
    baseGpu,
    baseGpuName: nameOf(item['base_gpu_name']),
    parameters,
    numJobs,
    bidPrice,
    createdAt,
  };
}

function isFields(item: unknown): item is Fields {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID_SHAPE.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function dollars(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && value < Infinity ? value : undefined;
  return typeof value === 'string' && DECIMAL_SHAPE.test(value) ? Number(value) : undefined;
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value : 'n/a';
}

/** Memoized because many runs of a list have the same time. */
function memoizedTime(): typeof parseBrokerTime {
  const known = new Map<string, number | undefined>();
  return (text) => {
    const ms = known.get(text) ?? parseBrokerTime(text);
    known.set(text, ms);
    return ms;
  };
}
