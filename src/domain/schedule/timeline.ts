import { covers, edgesOf, MONTHS, type Window } from './window.ts';
import { DAY_MS, type Zone } from './zone.ts';

/** Windows that name no months come back each week; twice, because an hour may be skipped in one of them. */
const WEEKS_MS = 16 * DAY_MS;
const YEAR_MS = 400 * DAY_MS;

/** A change from one window to another; -1: no window. `at` is in milliseconds since the epoch. */
export type WindowChange = { readonly at: number; readonly window: number };

/** Windows of which a later one wins, whatever it is that they say. */
export class Timeline {
  readonly zone: Zone;
  readonly #windows: readonly Window[];
  readonly #edges: readonly number[];
  readonly #horizonMs: number;

  constructor(zone: Zone, windows: readonly Window[]) {
    this.zone = zone;
    this.#windows = windows;
    this.#edges = edgesOf(windows);
    this.#horizonMs = windows.every(({ months }) => months.size === MONTHS.length) ? WEEKS_MS : YEAR_MS;
  }

  /** The place of the last window that has this instant in it; -1: none has. */
  at(instant: number): number {
    const wall = this.zone.wallTimeAt(instant);
    return this.#windows.findLastIndex((window) => covers(window, wall));
  }

  /** The changes after an instant in their order, up to where what comes has been before. */
  *changes(after: number): Generator<WindowChange, void> {
    if (this.#windows.length === 0) return;
    let last = this.at(after);
    for (const at of this.#candidates(after, after + this.#horizonMs)) {
      const window = this.at(at);
      if (window !== last) yield { at, window };
      last = window;
    }
  }

  /** Every instant at which another window may begin: where the wall shows an edge, and where its clock is set. */
  *#candidates(after: number, last: number): Generator<number, void> {
    let from = after;
    while (from < last) {
      const { offset, until } = this.zone.stretchAt(from);
      for (let day = Math.floor((from + offset) / DAY_MS); day * DAY_MS - offset < until; day += 1) {
        for (const edge of this.#edges) {
          const at = day * DAY_MS + edge * 60_000 - offset;
          if (at > from && at < until) yield at;
        }
      }
      yield until;
      from = until;
    }
  }
}
