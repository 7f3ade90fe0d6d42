import { asAgentError } from '../../domain/errors.ts';
import {
  elapse,
  isWorthWriting,
  NOTHING_SEEN,
  type Notice,
  type NotificationState,
  observe,
  onlyWanted,
  restored,
} from '../../domain/notification.ts';
import {
  dueSummary,
  firstSummary,
  isFromTheFuture,
  type LastSummary,
} from '../../domain/notification-day.ts';
import { nextCheckMs, openProblems, takeDue } from '../../domain/notification-due.ts';
import type { NotificationKind } from '../../domain/notification-kinds.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobSums } from '../../domain/ports/job-sums.ts';
import type {
  NotificationMessage,
  NotificationStore,
  NotificationTarget,
  QueuedNotification,
  Summary,
} from '../../domain/ports/notifications.ts';
import type { Zone } from '../../domain/schedule/zone.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { AgentEvent } from '../events/events.ts';
import { messageOf, summaryItem } from './message.ts';
import { Observations } from './observations.ts';
import { summaryBetween, toQuarter } from './summary.ts';
import { TargetQueue } from './target-queue.ts';

/** A process that was stopped for longer has not seen that time. */
const MAX_STEP_MS = 90_000;
/** How much of the time that has counted a crash may cost. */
const SAVE_MS = 600_000;

export type NotificationsDeps = {
  readonly targets: readonly NotificationTarget[];
  readonly store: NotificationStore;
  readonly sums: Pick<JobSums, 'pending' | 'since'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly log: Log;
  /** Removes secrets. */
  readonly redact: (text: string) => string;
  /** This host's name. */
  readonly host: string;
  readonly wanted: ReadonlySet<NotificationKind>;
  /** When the daily summary is due, in minutes of the day of the zone in force; undefined: never. */
  readonly daily: { readonly minute: number; readonly zone: () => Zone } | undefined;
};

/** Notifies the owner of what needs attention, by what the events say and how long it lasts. */
export class Notifications {
  readonly #deps: NotificationsDeps;
  readonly #queues: readonly TargetQueue[];
  readonly #observations = new Observations();
  readonly #changed = new Notifier();
  readonly #logged = new OncePerChange();
  #state: NotificationState;
  #saved: NotificationState;
  #savedAt: number;
  #lastSummary: LastSummary | undefined;
  /** By the monotonic clock. */
  #steppedAt: number;

  constructor(deps: NotificationsDeps) {
    const { clock, targets, wanted } = deps;
    this.#deps = deps;
    this.#queues = targets.map(
      (target) => new TargetQueue(target, { ...deps, onDone: (queued) => this.#remove(queued) }),
    );
    const { kept, queue } = this.#load();
    const state = restored(kept?.state ?? NOTHING_SEEN);
    this.#state = onlyWanted(state, (kind) => wanted.has(kind));
    this.#saved = this.#state;
    this.#savedAt = clock.monotonic();
    this.#steppedAt = clock.monotonic();
    this.#lastSummary = kept?.lastSummary;
    for (const one of queue) this.#queues.find(({ target }) => target.name === one.target)?.add(one);
  }

  /** Takes an event of the agent. */
  readonly observe = (event: AgentEvent): void => {
    const { clock, wanted } = this.#deps;
    const seen = this.#observations.of(event).filter(({ kind }) => wanted.has(kind));
    const now = clock.now();
    const after = (state: NotificationState): NotificationState =>
      seen.reduce((next, one) => observe(next, one, now), state);
    const before = this.#state;
    if (after(before) === before) return;
    this.#step();
    this.#state = after(this.#state);
    if (isWorthWriting(before, this.#state)) this.#changed.notify();
  };

  /** Delivers until the signal aborts; what is left by then is for the next start. */
  async work(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#watch(signal), ...this.#queues.map((queue) => queue.work(signal))]);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#report();
      await this.#changed.wait(signal, nextCheckMs(this.#state));
    }
  }

  /** Queues what is due, and writes what has changed. */
  #report(): void {
    const { clock } = this.#deps;
    this.#step();
    const due = takeDue(this.#state, clock.now());
    this.#state = due.state;
    const messages = [...due.notices.map((notice) => this.#message(notice)), ...this.#summary()];
    const queued = messages.flatMap((message) =>
      this.#queues.map((queue) => ({ queue, one: { target: queue.target.name, message } })),
    );
    const isOld = clock.monotonic() - this.#savedAt >= SAVE_MS && this.#state.conditions.length > 0;
    if (messages.length > 0 || isOld || isWorthWriting(this.#saved, this.#state))
      this.#save(queued.map(({ one }) => one));
    for (const { one, queue } of queued) queue.add(one);
  }

  #step(): void {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    this.#state = elapse(this.#state, Math.min(now - this.#steppedAt, MAX_STEP_MS), clock.now());
    this.#steppedAt = now;
  }

  /** The daily summary, if it is due. */
  #summary(): readonly NotificationMessage[] {
    const { clock, daily, log, sums } = this.#deps;
    if (daily === undefined) return [];
    const now = clock.now();
    const { minute } = daily;
    const zone = daily.zone();
    if (this.#lastSummary === undefined || isFromTheFuture(zone, this.#lastSummary, now)) {
      const first = firstSummary(zone, minute, now);
      this.#lastSummary = { ...first, at: toQuarter(first.at) };
      this.#save([]);
      return [];
    }
    const due = dueSummary(zone, minute, this.#lastSummary, now);
    if (due === undefined) return [];
    try {
      const summary = summaryBetween(sums, this.#lastSummary.at, toQuarter(now));
      this.#lastSummary = { ...due, at: summary.until };
      const problems = openProblems(this.#state).map(({ item, since, times }) => ({ ...item, since, times }));
      const items = [summaryItem(summary, problems)];
      return [this.#message({ kind: 'daily-summary', state: 'info', items }, summary)];
    } catch (thrown) {
      const { message } = asAgentError(thrown);
      const fields = { event: 'daily-summary-failed', err: thrown };
      if (this.#logged.isNew(message, 'summary')) log.warn(fields, 'the daily summary waits for the journal');
      return [];
    }
  }

  #message(notice: Notice, summary?: Summary): NotificationMessage {
    const { clock, newId } = this.#deps;
    return messageOf(notice, { ...this.#deps, id: newId(), at: clock.now(), summary });
  }

  #load(): ReturnType<NotificationStore['load']> {
    return this.#orWarn(() => this.#deps.store.load()) ?? { kept: undefined, queue: [] };
  }

  /** A disk that refuses it, which may be what there is to tell, keeps nothing from being reported. */
  #save(queued: readonly QueuedNotification[]): void {
    this.#orWarn(() => {
      this.#deps.store.save({ state: this.#state, lastSummary: this.#lastSummary }, queued);
      this.#saved = this.#state;
      this.#savedAt = this.#deps.clock.monotonic();
      this.#logged.forget('journal');
    });
  }

  #remove(queued: QueuedNotification): void {
    this.#orWarn(() => this.#deps.store.remove(queued));
  }

  #orWarn<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (thrown) {
      const { message } = asAgentError(thrown);
      const fields = { event: 'notifications-not-saved', err: thrown };
      if (this.#logged.isNew(message, 'journal'))
        this.#deps.log.warn(fields, 'notifications are not saved: a restart may repeat or lose some');
      return undefined;
    }
  }
}
