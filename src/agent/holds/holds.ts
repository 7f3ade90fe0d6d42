import { type Hold, type HoldKind, shownHold, type Target } from '../../domain/hold.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { HoldSource } from './hold-source.ts';

/** That a target takes jobs whatever the rules say, until this time of the wall clock; undefined: with no end. */
export type Forced = { readonly until: number | undefined };

/** All that keeps targets from new jobs by the owner's wish: pauses, presence, the calendar. */
export class Holds {
  /** Notified whenever an answer may have changed. */
  readonly changed = new Notifier();
  readonly #sources: readonly HoldSource[];
  readonly #forced: (target: Target) => Forced | undefined;
  /** What was answered since the last change; claims ask often. */
  readonly #known = new Map<Target, Hold | undefined>();

  /** `forced`: the owner has said that a target takes jobs whatever presence and calendar say. */
  constructor(
    sources: readonly HoldSource[],
    forced: (target: Target) => Forced | undefined = () => undefined,
  ) {
    this.#sources = sources;
    this.#forced = forced;
    for (const source of sources)
      source.changed.subscribe(() => {
        this.#known.clear();
        this.changed.notify();
      });
  }

  /** Why the target takes no new jobs, the strongest reason; undefined: nothing keeps it from them. */
  of(target: Target): Hold | undefined {
    if (!this.#known.has(target)) this.#known.set(target, this.#now(target));
    return this.#known.get(target);
  }

  /** When the target is next kept from new jobs, by the wall clock; undefined: nobody knows of such a time. */
  begins(target: Target): number | undefined {
    const forced = this.#forced(target);
    if (forced !== undefined && forced.until === undefined) return undefined;
    const times = this.#sources.flatMap((source) => source.begins?.(target, forced?.until) ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #now(target: Target): Hold | undefined {
    const holds = this.#sources.flatMap((source) => source.hold(target) ?? []);
    return shownHold(this.#forced(target) !== undefined ? holds.filter(({ kind }) => !isRule(kind)) : holds);
  }
}

/** Whether a hold comes of a rule, which the owner may override. */
function isRule(kind: HoldKind): boolean {
  return kind === 'presence' || kind === 'calendar';
}
