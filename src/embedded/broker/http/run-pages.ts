import type { Market } from '../store/market.ts';
import type { InstanceRow, RunRow } from '../store/rows.ts';
import type { RunList } from '../store/run-list.ts';
import { brokerTime } from './broker-time.ts';
import { runWithoutTime } from './views.ts';

/** Pages for this many different kinds of instances are kept; with 100,000 runs one is some 40 MB. */
const MOST_PAGES = 4;

type Page = { readonly version: number; readonly time: string; readonly body: Buffer };

/**
 * The list of runs as bytes. Each run is serialised once in its life, up to the time of now that every item must
 * carry; a page is these pieces joined by that time, and stands until the list or the second changes. Instances
 * that may win the same runs share their page.
 */
export class RunPages {
  readonly #market: Market;
  readonly #pieces = new WeakMap<RunRow, string>();
  readonly #pages = new Map<string, Page>();

  constructor(market: Market) {
    this.#market = market;
  }

  /** The page of what is on the list and, where an instance asks, can be won by it. `now` in milliseconds. */
  page(list: RunList, instance: InstanceRow | undefined, now: number): Buffer {
    const key = instance === undefined ? '' : [instance.type, instance.gpu, instance.askPrice].join();
    const time = brokerTime(now);
    const known = this.#pages.get(key);
    if (known?.version === list.version && known.time === time) return known.body;
    const body = this.#write(list, instance, time);
    this.#pages.delete(key);
    const [oldest] = this.#pages.keys();
    if (oldest !== undefined && this.#pages.size >= MOST_PAGES) this.#pages.delete(oldest);
    this.#pages.set(key, { version: list.version, time, body });
    return body;
  }

  #write(list: RunList, instance: InstanceRow | undefined, time: string): Buffer {
    const pieces: string[] = [];
    for (const run of list.runs()) {
      if (instance === undefined || this.#market.whyBarred(run, instance) === undefined) {
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
