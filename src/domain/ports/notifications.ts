import type { Notice, NotificationState } from '../notification.ts';
import type { LastSummary } from '../notification-day.ts';
import type { DaySums, JobsPending } from './job-sums.ts';

/** The figures of a daily summary; `since` and `until` in milliseconds of the wall clock, money in US dollars. */
export type Summary = DaySums & {
  readonly since: number;
  readonly until: number;
  readonly pending: JobsPending;
};

/** A notice as it is sent. It contains no secret, and nothing that a buyer wrote. */
export type NotificationMessage = Notice & {
  /** The same for each try, and for each target. */
  readonly id: string;
  /** When it was made, in milliseconds of the wall clock. */
  readonly at: number;
  readonly host: string;
  readonly title: string;
  readonly text: string;
  readonly summary: Summary | undefined;
  /** Sent by `notify test`. */
  readonly isTest: boolean;
};

/** Where notifications are sent to. */
export interface NotificationTarget {
  readonly name: 'webhook' | 'ntfy' | 'command';
  /** For people, without secrets. */
  readonly address: string;
  /** Settles once the target has it. Throws NOTIFICATION_FAILED, and what the file with its secret throws. */
  send(message: NotificationMessage, signal: AbortSignal): Promise<void>;
}

/** A message that a target does not have yet. */
export type QueuedNotification = {
  readonly target: NotificationTarget['name'];
  readonly message: NotificationMessage;
};

/** What is kept over a restart. */
export type KeptNotifications = {
  readonly state: NotificationState;
  readonly lastSummary: LastSummary | undefined;
};

/** The notifications in the journal. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface NotificationStore {
  /** Undefined: nothing that can be read. The queue is oldest first. */
  load(): { readonly kept: KeptNotifications | undefined; readonly queue: readonly QueuedNotification[] };
  /** Writes both in one transaction: what is reported is queued. */
  save(kept: KeptNotifications, queued: readonly QueuedNotification[]): void;
  remove(queued: QueuedNotification): void;
}
