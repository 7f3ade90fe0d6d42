import type { Market } from '../store/market.ts';
import type { InstanceRow, RunRow } from '../store/rows.ts';
import type { RunList } from '../store/run-list.ts';
import { brokerTime } from './broker-time.ts';
import { runWithoutTime } from './views.ts';

/** How many pages are cached; with 100,000 runs a page has about 40 MB. */
const MAX_PAGES = 4;

type Page = { readonly version: number; readonly time: string; readonly body: Buffer };

/**
 * Serialises and caches the list of runs. Each run is serialised once without the current time; a page joins these pieces with
 * the time and is valid until the list or the second changes. Instances that can win the same runs share a page.
 */
export class RunPages {
  readonly #market: Market;
  readonly #pieces = new WeakMap<RunRow, string>();
  readonly #pages = new Map<string, Page>();

  constructor(market: Market) {
    this.#market = market;
  }

  /** The page of the list's runs that the instance, if any, can win. `now` is in milliseconds. */
  page(list: RunList, instance: InstanceRow | undefined, now: number): Buffer {
    const key = instance === undefined ? '' : [instance.type, instance.gpu, instance.askPrice].join();
    const time = brokerTime(now);
    const known = this.#pages.get(key);
    if (known?.version === list.version && known.time === time) return known.body;
    const body = this.#write(list, instance, time);
    this.#pages.delete(key);
    const [oldest] = this.#pages.keys();
    if (oldest !== undefined && this.#pages.size >= MAX_PAGES) this.#pages.delete(oldest);
    this.#pages.set(key, { version: list.version, time, body });
    return body;
  }

  #write(list: RunList, instance: InstanceRow | undefined, time: string): Buffer {
    const pieces: string[] = [];
    for (const run of list.runs()) {
      if (instance === undefined || this.#market.whyIneligible(run, instance) === undefined) {
        pieces.push(this.#piece(run));
      }
    }
    if (pieces.length === 0) return Buffer.from('[]');
    return Buffer.from(`[${pieces.join(`${time}"},`)}${time}"}]`);
  }

  #piece(run: RunRow): string {
    const known = this.#pieces.get(run);
    if (known !== undefined) return known;
    const piece = `${JSON.stringify(runWithoutTime(run)).slice(0, -1)},"current_server_time":"`;
    this.#pieces.set(run, piece);
    return piece;
  }
}
