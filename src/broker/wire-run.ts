import type { InvalidItem } from '../domain/ports/broker.ts';
import type { Run } from '../domain/run.ts';
import { Heap } from '../lib/heap.ts';
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

type KeptRun = { readonly run: Run; readonly bytes: number; readonly order: number };

const MAX_RUNS = LIMITS.broker.runs.max;
const MAX_BYTES = LIMITS.broker.runBytes.max;
const MAX_KNOWN_TIMES = 1_000;

/** The runs of a list, parsed one by one. Of too many it keeps those with the highest bids. */
export class RunList {
  readonly invalid = new InvalidItems();
  /** By uuid, because shifting pages may list a run twice; the first counts. */
  readonly #runs = new Map<string, KeptRun>();
  #bytes = 0;
  /** The same runs; the first is left out next. */
  readonly #worst = new Heap<KeptRun>(isWorse);
  #added = 0;
  /** Once runs were left out, only a higher bid than theirs is kept. */
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
    if (run.bidPrice <= this.#above || this.#runs.has(run.uuid)) return;
    const kept = { run, bytes: item.bytes, order: this.#added };
    this.#added += 1;
    this.#bytes += kept.bytes;
    this.#runs.set(run.uuid, kept);
    this.#worst.add(kept);
    while (this.#isTooLong()) this.#leaveOut();
  }

  end(): readonly Run[] {
    return Array.from(this.#runs.values(), ({ run }) => run);
  }

  #isTooLong(): boolean {
    return this.#runs.size > MAX_RUNS || this.#bytes > MAX_BYTES;
  }

  /** One by one, because a cut of many at once would take long. */
  #leaveOut(): void {
    const worst = this.#worst.take();
    if (worst === undefined) return;
    this.#isCut = true;
    this.#runs.delete(worst.run.uuid);
    this.#bytes -= worst.bytes;
    this.#above = worst.run.bidPrice;
  }
}

/** Whether a run is left out before another: it has a lower bid, or the same and came later. */
function isWorse(a: KeptRun, b: KeptRun): boolean {
  return a.run.bidPrice === b.run.bidPrice ? a.order > b.order : a.run.bidPrice < b.run.bidPrice;
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
