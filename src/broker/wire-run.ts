import type { InvalidItem } from '../domain/ports/broker.ts';
import type { Run } from '../domain/run.ts';
import { LIMITS } from '../limits.ts';
import { parseBrokerTime } from './broker-time.ts';
import { cutName, DECIMAL_SHAPE, InvalidItems, isId, ON_WIRE, refusedItem } from './fields.ts';
import type { Fields, ProjectedItem } from './json-fields.ts';

// Written by hand instead of with zod, because it is ten times as fast and a market may have 100,000 runs.

export const RUN_FIELDS: Fields = {
  uuid: ON_WIRE.short,
  function: ON_WIRE.short,
  function_name: ON_WIRE.name,
  base_gpu: ON_WIRE.short,
  base_gpu_name: ON_WIRE.name,
  num_jobs: ON_WIRE.short,
  bid_price: ON_WIRE.short,
  created_at: ON_WIRE.short,
};

type KeptRun = { readonly run: Run; readonly bytes: number };

const MAX_RUNS = LIMITS.broker.runs.max;
const MAX_BYTES = LIMITS.broker.runBytes.max;
const MAX_KNOWN_TIMES = 1_000;
/** How far the runs may exceed their limits before they are cut again. */
const SLACK = 1.25;

/** The runs of a list, parsed one by one. Of too many it keeps those with the highest bids. */
export class RunList {
  readonly invalid = new InvalidItems();
  /** By uuid, because shifting pages may list a run twice. */
  readonly #runs = new Map<string, KeptRun>();
  #bytes = 0;
  /** After a cut, only a higher bid than this is kept. */
  #above = -1;
  #isCut = false;
  readonly #time = memoizedTime();

  /** Whether runs were left out. */
  get isCut(): boolean {
    return this.#isCut;
  }

  add(item: ProjectedItem): void {
    if (item.kind === 'refused') return this.invalid.add(refusedItem(item));
    const run = readRun(item.json, this.#time);
    if ('reason' in run) return this.invalid.add(run);
    if (run.bidPrice <= this.#above) return;
    this.#bytes += item.bytes - (this.#runs.get(run.uuid)?.bytes ?? 0);
    this.#runs.set(run.uuid, { run, bytes: item.bytes });
    if (this.#isTooLong(SLACK)) this.#cut();
  }

  end(): readonly Run[] {
    if (this.#isTooLong(1)) this.#cut();
    return Array.from(this.#runs.values(), ({ run }) => run);
  }

  #isTooLong(slack: number): boolean {
    return this.#runs.size > slack * MAX_RUNS || this.#bytes > slack * MAX_BYTES;
  }

  /** Leaves out the runs with the lowest bids; of equal bids those that came last. */
  #cut(): void {
    this.#isCut = true;
    while (this.#isTooLong(1)) {
      const part = Math.min(MAX_RUNS / this.#runs.size, (0.95 * MAX_BYTES) / this.#bytes);
      this.#keepBest(Math.floor(this.#runs.size * part));
    }
  }

  #keepBest(count: number): void {
    const bids = Float64Array.from(this.#runs.values(), ({ run }) => run.bidPrice).sort();
    const lowest = bids[bids.length - count] ?? Number.POSITIVE_INFINITY;
    let equal = count - bids.filter((bid) => bid > lowest).length;
    for (const [uuid, { bytes, run }] of this.#runs) {
      if (run.bidPrice > lowest || (run.bidPrice === lowest && equal-- > 0)) continue;
      this.#runs.delete(uuid);
      this.#bytes -= bytes;
    }
    this.#above = lowest;
  }
}

/** Parses one run, or returns why it is invalid. */
export function readRun(item: unknown, time: typeof parseBrokerTime = parseBrokerTime): Run | InvalidItem {
  if (!isFields(item)) return { uuid: undefined, reason: 'not an object' };
  const { bid_price, created_at, function: functionUuid, num_jobs: numJobs, uuid } = item;
  // A broker may omit fields that are null.
  const baseGpu = item['base_gpu'] ?? null;
  const wrong = (field: string, should: string): InvalidItem => ({
    uuid: isId(uuid) ? uuid : undefined,
    reason: `${field}: ${item[field] === undefined ? 'missing' : `not ${should}`}`,
  });
  if (!isId(uuid)) return wrong('uuid', 'an id');
  if (!isId(functionUuid)) return wrong('function', 'an id');
  if (baseGpu !== null && !isId(baseGpu)) return wrong('base_gpu', 'an id or null');
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
    numJobs,
    bidPrice,
    createdAt,
  };
}

function isFields(item: unknown): item is Readonly<Record<string, unknown>> {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function dollars(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 && value < Infinity ? value : undefined;
  return typeof value === 'string' && DECIMAL_SHAPE.test(value) ? Number(value) : undefined;
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? cutName(value) : 'n/a';
}

/** Memoized because many runs of a list have the same time; not all times, because each run may have another. */
export function memoizedTime(parse = parseBrokerTime): typeof parseBrokerTime {
  const known = new Map<string, number>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const ms = parse(text);
    if (ms === undefined) return undefined;
    if (known.size >= MAX_KNOWN_TIMES) known.clear();
    known.set(text, ms);
    return ms;
  };
}
