import { type Hold, shownHold, type Target } from '../../domain/hold.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { HoldSource } from './hold-source.ts';

/** All that keeps targets from new jobs by the owner's wish: pauses, presence, the calendar. */
export class Holds {
  /** Notified whenever an answer may have changed. */
  readonly changed = new Notifier();
  readonly #sources: readonly HoldSource[];
  /** What was answered since the last change; claims ask often. */
  readonly #known = new Map<Target, Hold | undefined>();

  constructor(sources: readonly HoldSource[]) {
    this.#sources = sources;
    for (const source of sources)
      source.changed.subscribe(() => {
        this.#known.clear();
        this.changed.notify();
      });
  }

  /** Why the target takes no new jobs, the strongest reason; undefined: nothing keeps it from them. */
  of(target: Target): Hold | undefined {
    if (!this.#known.has(target))
      this.#known.set(target, shownHold(this.#sources.flatMap((source) => source.hold(target) ?? [])));
    return this.#known.get(target);
  }

  /** When the target is next kept from new jobs, by the wall clock; undefined: nobody knows of such a time. */
  begins(target: Target): number | undefined {
    const times = this.#sources.flatMap((source) => source.begins?.(target) ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
