import { join } from 'node:path';
import { z } from 'zod';
import { asAgentError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Log } from '../lib/log.ts';
import { OncePerChange } from '../lib/once-per-change.ts';
import { readOwnFile } from '../lib/own-file.ts';
import { replaceFile } from '../lib/replace-file.ts';
import { sleep } from '../lib/sleep.ts';
import { LIMITS } from '../limits.ts';
import { endOf } from '../pricing/priced-ahead.ts';
import { type PublishedPoint, readPrices } from './price-points.ts';
import { failed, type PriceText } from './sources.ts';

/** The file in the state directory with the prices that were read last. */
export const PRICES_FILE = 'electricity-prices.json';

const HOUR_MS = 3_600_000;
/** Prices that are older say nothing that is needed any more. */
const KEEP_MS = 9 * 24 * HOUR_MS;
const RETRY = { initialMs: 60_000, maxMs: HOUR_MS / 2 };

/** Which price counts now. */
const IN_FORCE = {
  published: 'what was published before counts',
  configured: 'that of electricity-price counts',
  assumed: 'those published before are assumed',
  none: 'there is no floor',
} as const;

const POINTS = z.array(z.object({ from: z.number(), until: z.number(), price: z.number() }));
const CONTENT = z.object({ source: z.string(), points: POINTS });

export type PriceFeedDeps = {
  readonly source: PriceText;
  /** US dollars for one unit of the currency of the prices. */
  readonly rate: () => number;
  /** Whether the owner has named a price for the time in which none is published. */
  readonly hasFallback: () => boolean;
  readonly stateDir: string;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  readonly random: () => number;
};

/** Prices of electricity that are published: read each hour, and kept on disk for the time in which they cannot be read. */
export class PriceFeed {
  readonly #deps: PriceFeedDeps;
  readonly #path: string;
  readonly #problem = new OncePerChange();
  readonly #unsaved = new OncePerChange();
  #points: readonly PublishedPoint[];

  /** Begins with what is on disk of the same source. */
  constructor(deps: PriceFeedDeps) {
    this.#deps = deps;
    this.#path = join(deps.stateDir, PRICES_FILE);
    this.#points = this.#load();
  }

  /** The same array until other prices are known. */
  get points(): readonly PublishedPoint[] {
    return this.#points;
  }

  /** Whether no price is published for now. */
  get isStale(): boolean {
    const now = this.#deps.clock.now();
    return !this.covers(now, now + 1);
  }

  /** Whether prices are published for all of a time. */
  covers(from: number, until: number): boolean {
    let known = from;
    for (const point of this.#points) if (point.from <= known) known = Math.max(known, point.until);
    return known >= until;
  }

  /** Reads until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      failures = (await this.read(signal)) ? 0 : failures + 1;
      await sleep(failures === 0 ? this.#nextMs : backoffMs(RETRY, failures, this.#deps.random), signal);
    }
  }

  /** An hour, or sooner where the prices that are known end. */
  get #nextMs(): number {
    const leftMs = endOf(this.#points) - this.#deps.clock.now();
    return Math.min(HOUR_MS, Math.max(RETRY.initialMs, leftMs));
  }

  /** Reads once; answers whether that went well. */
  async read(signal: AbortSignal): Promise<boolean> {
    const { clock, log, source } = this.#deps;
    try {
      const read = this.#inBounds(readPrices(await source.read(signal)));
      const first = read.reduce((from, point) => Math.min(from, point.from), Number.POSITIVE_INFINITY);
      const oldest = clock.now() - KEEP_MS;
      // What was published before for a time that is published again is replaced.
      const last = endOf(read);
      const kept = this.#points.filter(({ from, until }) => until > oldest && (from < first || from >= last));
      this.#points = [...kept, ...read]
        .filter(({ until }) => until > oldest)
        .toSorted((a, b) => a.from - b.from)
        .slice(-LIMITS.tariff.points.max);
      await this.#save();
      if (this.isStale) throw failed(`${source.name} has none for now`);
      this.#problem.forget('');
      log.info(
        {
          event: 'electricity-prices-read',
          source: source.name,
          prices: read.length,
          until: new Date(endOf(read)).toISOString(),
        },
        'prices of electricity read',
      );
      return true;
    } catch (thrown) {
      if (signal.aborted) return false;
      const { code, hint, message } = asAgentError(thrown);
      const inForce = this.#inForce;
      if (this.#problem.isNew(`${inForce}: ${message}`, ''))
        log.warn(
          { event: 'electricity-prices-failed', source: source.name, code, hint, inForce },
          `${message}; ${IN_FORCE[inForce]}`,
        );
      return false;
    }
  }

  get #inForce(): keyof typeof IN_FORCE {
    if (!this.isStale) return 'published';
    if (this.#deps.hasFallback()) return 'configured';
    return this.#points.length === 0 ? 'none' : 'assumed';
  }

  /** A price that is far too high is one of another unit, such as a MWh. */
  #inBounds(points: readonly PublishedPoint[]): readonly PublishedPoint[] {
    const { rate, source } = this.#deps;
    const { max } = LIMITS.tariff.price;
    const high = points.find(({ price }) => Math.abs(price) * rate() > max);
    if (high === undefined) return points;
    throw failed(`${source.name} has ${high.price} per kWh, which is more than ${max} US dollars`);
  }

  #load(): readonly PublishedPoint[] {
    const { log, source } = this.#deps;
    try {
      const file = readOwnFile(this.#path, LIMITS.tariff.file.max);
      if (file === undefined || !('text' in file)) return [];
      const found: unknown = JSON.parse(file.text);
      const content = CONTENT.parse(found);
      return content.source === source.key ? content.points : [];
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      log.warn(
        { event: 'electricity-prices-failed', source: PRICES_FILE, code },
        `kept prices not read: ${message}`,
      );
      return [];
    }
  }

  /** What cannot be kept counts all the same, until the next start. */
  async #save(): Promise<void> {
    const { log, source } = this.#deps;
    const content: z.input<typeof CONTENT> = { source: source.key, points: [...this.#points] };
    try {
      await replaceFile(this.#path, `${JSON.stringify(content)}\n`, { mode: 0o600 });
      this.#unsaved.forget('');
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      if (this.#unsaved.isNew(message, ''))
        log.warn(
          { event: 'electricity-prices-failed', source: PRICES_FILE, code },
          `prices not kept: ${message}`,
        );
    }
  }
}
