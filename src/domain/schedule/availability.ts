import { isNamed, type ScheduleTarget } from './target.ts';
import { Timeline } from './timeline.ts';
import { type Window, windowText } from './window.ts';
import type { Zone } from './zone.ts';

/** A table `[[availability]]` of the file: whether jobs are taken in a window. */
export type AvailabilityRule = {
  /** Which table it is, from 1 on. */
  readonly number: number;
  readonly window: Window;
  readonly available: boolean;
  /** What it is about, as the owner wrote it; undefined: every GPU, and the CPU slots. */
  readonly gpus: readonly string[] | undefined;
  readonly note: string | undefined;
};

/** Whether a target takes jobs, by which rule, and why in the owner's words. */
export type Availability = {
  readonly available: boolean;
  /** Undefined: no rule has this time in it. */
  readonly rule: AvailabilityRule | undefined;
  readonly why: string;
};

/** Times are milliseconds since the epoch; `until` is not included, undefined: for ever. */
export type Period = Availability & { readonly from: number; readonly until: number | undefined };

/** The owner's rules in their time zone. Pure: the answers depend on the instant that is asked for alone. */
export class Schedule {
  readonly zone: Zone;
  readonly rules: readonly AvailabilityRule[];

  constructor(rules: readonly AvailabilityRule[], zone: Zone) {
    this.rules = rules;
    this.zone = zone;
  }

  /** What the rules say of one target. Keep it: it is cheaper to ask than to make. */
  of(target: ScheduleTarget): TargetSchedule {
    return new TargetSchedule(
      this.rules.filter((rule) => concerns(rule, target)),
      this.zone,
    );
  }

  /** The first change of any of these targets after an instant; undefined: nothing changes. */
  nextChange(targets: readonly ScheduleTarget[], instant: number): number | undefined {
    const changes = targets.flatMap((target) => this.of(target).nextChange(instant) ?? []);
    return changes.length === 0 ? undefined : Math.min(...changes);
  }
}

/** The rules about one target. A later one wins. */
export class TargetSchedule {
  readonly rules: readonly AvailabilityRule[];
  readonly #timeline: Timeline;

  constructor(rules: readonly AvailabilityRule[], zone: Zone) {
    this.rules = rules;
    this.#timeline = new Timeline(
      zone,
      rules.map(({ window }) => window),
    );
  }

  stateAt(instant: number): Availability {
    return this.#stateBy(this.#timeline.at(instant));
  }

  /** When the target begins to take jobs or stops, after an instant; undefined: never. */
  nextChange(instant: number): number | undefined {
    const { available } = this.stateAt(instant);
    for (const { at, window } of this.#timeline.changes(instant))
      if (this.#stateBy(window).available !== available) return at;
    return undefined;
  }

  /** When the window that is open at an instant ends: the instant itself where none is open; undefined: never. */
  windowEnd(instant: number): number | undefined {
    return this.stateAt(instant).available ? this.nextChange(instant) : instant;
  }

  /** What applies from an instant on, one period per rule, up to the one that has `until` in it: in a week, say. */
  *periods(instant: number, until: number): Generator<Period, void> {
    let [from, state] = [instant, this.stateAt(instant)];
    for (const { at, window } of this.#timeline.changes(instant)) {
      yield { ...state, from, until: at };
      if (at >= until) return;
      [from, state] = [at, this.#stateBy(window)];
    }
    yield { ...state, from, until: undefined };
  }

  #stateBy(place: number): Availability {
    const rule = this.rules[place];
    if (rule !== undefined)
      return { available: rule.available, rule, why: rule.note ?? windowText(rule.window) };
    const why = this.rules.length === 0 ? 'no rule is about it' : 'no rule has this time in it';
    return { available: isOpenByDefault(this.rules), rule: undefined, why };
  }
}

/** Whether a rule is about a target. */
export function concerns({ gpus }: AvailabilityRule, target: ScheduleTarget): boolean {
  return gpus === undefined || gpus.some((written) => isNamed(written, target));
}

/**
 * Whether a target takes jobs at the times that no rule about it has in it: not where the first of these rules opens a
 * window, because then it is the windows that the owner has named; else it does.
 */
export function isOpenByDefault(rules: readonly AvailabilityRule[]): boolean {
  return rules[0]?.available !== true;
}

/** The names in rules that none of these targets has, with the number of the rule. */
export function unknownNames(
  rules: readonly AvailabilityRule[],
  targets: readonly ScheduleTarget[],
): readonly { readonly number: number; readonly name: string }[] {
  return rules.flatMap(({ gpus = [], number }) =>
    gpus.filter((name) => !targets.some((target) => isNamed(name, target))).map((name) => ({ number, name })),
  );
}

/** A rule in a line: `available fri-sun 22:00-07:00 (3090, cpu): nights`. */
export function ruleText({ available, gpus, note, window }: AvailabilityRule): string {
  const about = gpus === undefined ? '' : ` (${gpus.join(', ')})`;
  return `${available ? 'available' : 'not available'} ${windowText(window)}${about}${note === undefined ? '' : `: ${note}`}`;
}
