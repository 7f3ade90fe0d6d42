import type { Gpu } from '../../domain/gpu.ts';
import type { Hold, Target } from '../../domain/hold.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { type Schedule, type TargetSchedule, unknownNames } from '../../domain/schedule/availability.ts';
import { CPU_SLOTS, gpuTargets, type ScheduleTarget } from '../../domain/schedule/target.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { HoldSource } from '../holds/hold-source.ts';

/** A timer does not see that the clock was set or that the host slept, so it is never trusted for longer. */
const MAX_WAIT_MS = 10_000;
/** A timer may be early by a millisecond. */
const MIN_WAIT_MS = 5;

export type CalendarDeps = {
  readonly schedule: Schedule;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
};

/** What the schedule says of a target now. Times are milliseconds of the wall clock; undefined: for ever. */
type State = {
  readonly available: boolean;
  readonly why: string;
  /** Whether the target takes jobs changes then. */
  readonly until: number | undefined;
  /** All of this is the same in between. */
  readonly valid: { readonly from: number; readonly until: number | undefined };
};

type Known = { readonly schedule: TargetSchedule; state?: State };

/** Keeps targets from new jobs outside of the owner's schedule. Running jobs go on to their end. */
export class Calendar implements HoldSource {
  readonly changed = new Notifier();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Log;
  /** The names that no GPU of this host has, as they were logged last. */
  readonly #unknown = new OncePerChange();
  #schedule: Schedule;
  #targets: readonly ScheduleTarget[] = [CPU_SLOTS];
  readonly #known = new Map<Target, Known>();
  /** What was answered at the last check. */
  #answers = '';
  readonly #checkNow = new Notifier();

  constructor({ clock, log, schedule }: CalendarDeps) {
    this.#clock = clock;
    this.#log = log;
    this.#schedule = schedule;
  }

  hold(target: Target): Hold | undefined {
    const { available, until, why } = this.#stateOf(target);
    if (available) return undefined;
    return {
      kind: 'calendar',
      why,
      until,
      hint: 'run sharedcloud-agent schedule to see the week, or sharedcloud-agent mode on to take jobs all the same',
    };
  }

  /** When the target is kept from new jobs, from `from` or else now on; undefined: never. */
  begins(target: Target, from?: number): number | undefined {
    if (from !== undefined) return (this.#known.get(target) ?? this.#know(target)).schedule.windowEnd(from);
    const { available, until } = this.#stateOf(target);
    return available ? until : this.#clock.now();
  }

  /** The first change of any of these targets; undefined: nothing changes. */
  nextChange(targets: readonly Target[]): number | undefined {
    const changes = targets.flatMap((target) => this.#stateOf(target).until ?? []);
    return changes.length === 0 ? undefined : Math.min(...changes);
  }

  /** The GPUs of this host, whose models and indexes the rules may name. */
  seen(gpus: readonly Gpu[]): void {
    const targets = [CPU_SLOTS, ...gpuTargets(gpus)];
    if (facts(targets) === facts(this.#targets)) return;
    this.#targets = targets;
    this.#logUnknown();
    this.#known.clear();
    this.check();
  }

  /** Follows another schedule from now on. */
  follow(schedule: Schedule): void {
    this.#schedule = schedule;
    this.#known.clear();
    this.check();
    this.#checkNow.notify();
  }

  /** Announces what has changed since the last check: also after the clock was set or the host slept. */
  check(): void {
    const answers = JSON.stringify(
      this.#targets.map(({ id }) => [id, this.hold(id), this.#stateOf(id).until]),
    );
    if (answers === this.#answers) return;
    this.#answers = answers;
    this.changed.notify();
  }

  /** Goes on until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) this.check();
    // Without a rule nothing ever changes, unless another schedule is to be followed.
    while (!signal.aborted) {
      await this.#checkNow.wait(signal, this.#schedule.rules.length === 0 ? undefined : this.#waitMs());
      if (!signal.aborted) this.check();
    }
  }

  #logUnknown(): void {
    for (const { name, number } of unknownNames(this.#schedule.rules, this.#targets))
      if (this.#unknown.isNew(name, `${number} ${name}`))
        this.#log.warn(
          { event: 'schedule-gpu-unknown', rule: number, gpu: name },
          `the schedule names ${JSON.stringify(name)} for a GPU that this host does not have`,
        );
  }

  #waitMs(): number {
    const next = this.nextChange(this.#targets.map(({ id }) => id)) ?? Number.POSITIVE_INFINITY;
    return Math.min(Math.max(next - this.#clock.now(), MIN_WAIT_MS), MAX_WAIT_MS);
  }

  #stateOf(id: Target): State {
    const now = this.#clock.now();
    const known = this.#known.get(id) ?? this.#know(id);
    if (known.state === undefined || !isWithin(now, known.state.valid))
      known.state = stateAt(now, known.schedule);
    return known.state;
  }

  #know(id: Target): Known {
    const seen =
      this.#targets.find((one) => one.id === id) ?? this.#targets.find(({ gpu }) => gpu?.uuid === id);
    // A GPU that was never seen has no model or index that a rule could name.
    const target = { id, gpu: seen === undefined ? { uuid: id, index: -1, model: '' } : seen.gpu };
    const known = { schedule: this.#schedule.of(target) };
    this.#known.set(id, known);
    return known;
  }
}

function stateAt(now: number, schedule: TargetSchedule): State {
  const [period] = schedule.periods(now, now);
  const { available, rule, why } = schedule.stateAt(now);
  const closed = rule === undefined ? 'outside of the schedule’s windows' : `schedule: ${why}`;
  return {
    available,
    why: rule?.note ?? closed,
    until: schedule.nextChange(now),
    valid: { from: now, until: period?.until },
  };
}

function isWithin(now: number, { from, until = Number.POSITIVE_INFINITY }: State['valid']): boolean {
  return from <= now && now < until;
}

/** What rules may name. */
function facts(targets: readonly ScheduleTarget[]): string {
  return JSON.stringify(targets.map(({ gpu, id }) => [id, gpu?.uuid, gpu?.index, gpu?.model]));
}
