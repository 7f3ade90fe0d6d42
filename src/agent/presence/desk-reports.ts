import type { Clock } from '../../domain/ports/clock.ts';
import type { Sign } from '../../domain/presence.ts';
import { Notifier } from '../../lib/notifier.ts';
import { LIMITS } from '../../limits.ts';

/** What `sharedcloud-agent desk` reports from the session of a user. */
export type DeskReport = {
  /** Whose session it is. */
  readonly user: string;
  /** How many games run. */
  readonly games: number;
};

/** A report holds for so long: a desk that has died says nothing, in milliseconds. */
export const DESK_LEASE_MS = 30_000;

/** The last report of each user's desk, as long as it holds. */
export class DeskReports {
  /** Notified with each report, and when one ends. */
  readonly changed = new Notifier();
  readonly #clock: Clock;
  readonly #reports = new Map<
    string,
    DeskReport & { readonly timer: NodeJS.Timeout; readonly until: number }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  report(report: DeskReport): void {
    const { user } = report;
    clearTimeout(this.#reports.get(user)?.timer);
    if (this.#reports.size >= LIMITS.host.desks.max && !this.#reports.has(user)) return;
    const timer = setTimeout(() => this.#end(user), DESK_LEASE_MS);
    timer.unref();
    this.#reports.set(user, { ...report, timer, until: this.#clock.monotonic() + DESK_LEASE_MS });
    this.changed.notify();
  }

  /** Those that hold now. */
  get reports(): readonly DeskReport[] {
    const now = this.#clock.monotonic();
    const live = [...this.#reports.values()].filter(({ until }) => now < until);
    return live.map(({ games, user }) => ({ user, games }));
  }

  /** Undefined: no desk reports. */
  sign(): Sign | undefined {
    const { reports } = this;
    if (reports.length === 0) return undefined;
    const isPlaying = reports.some(({ games }) => games > 0);
    return { source: 'game', state: isPlaying ? 'seen' : 'quiet', what: 'a game runs (GameMode)' };
  }

  #end(user: string): void {
    this.#reports.delete(user);
    this.changed.notify();
  }
}
