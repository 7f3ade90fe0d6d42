import { z } from 'zod';
import type { NotificationState } from '../domain/notification.ts';
import { CONDITIONS, NOTIFICATION_KINDS } from '../domain/notification-kinds.ts';
import type {
  KeptNotifications,
  NotificationMessage,
  NotificationStore,
  QueuedNotification,
} from '../domain/ports/notifications.ts';
import type { Access } from './access.ts';

/** What was seen and reported, in one row; and what targets do not have yet. */
export const NOTIFICATION_TABLES = `CREATE TABLE IF NOT EXISTS notification_state (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     detail TEXT NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS notification_queue (
     seq INTEGER PRIMARY KEY,
     target TEXT NOT NULL,
     message_id TEXT NOT NULL,
     message TEXT NOT NULL,
     UNIQUE (target, message_id)
   ) STRICT;`;

const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'notification_queue'";

const ITEM = z.object({ key: z.string(), name: z.string(), why: z.string(), hint: z.string().optional() });
/** An absent hint is undefined: the types have no optional fields. */
const withHint = <T extends { hint?: string | undefined }>(item: T) => ({ ...item, hint: item.hint });
const STATE: z.ZodType<NotificationState> = z.object({
  conditions: z.array(
    z.object({
      kind: z.enum(CONDITIONS),
      item: ITEM.transform(withHint),
      isOn: z.boolean(),
      isNotified: z.boolean(),
      since: z.number(),
      lastedMs: z.number(),
      counts: z.boolean(),
      unseenMs: z.number(),
      isRestored: z.boolean(),
      times: z.number(),
      sentAt: z.array(z.number()),
    }),
  ),
  incidents: z.array(
    z.object({
      kind: z.enum(['reclaim-incomplete', 'daily-summary']),
      item: ITEM.transform(withHint),
      at: z.number(),
      waitedMs: z.number(),
    }),
  ),
  sent: z.array(z.object({ kind: z.enum(NOTIFICATION_KINDS), at: z.number() })),
});
const KEPT: z.ZodType<KeptNotifications> = z
  .object({ state: STATE, lastSummary: z.object({ day: z.number(), at: z.number() }).optional() })
  .transform(({ lastSummary, state }) => ({ state, lastSummary }));

const MESSAGE: z.ZodType<NotificationMessage> = z
  .object({
    id: z.string(),
    at: z.number(),
    kind: z.enum(NOTIFICATION_KINDS),
    state: z.enum(['problem', 'resolved', 'info']),
    host: z.string(),
    title: z.string(),
    text: z.string(),
    items: z.array(ITEM.extend({ since: z.number(), times: z.number() }).transform(withHint)),
    summary: z
      .object({
        since: z.number(),
        until: z.number(),
        jobs: z.object({
          succeeded: z.number(),
          failed: z.number(),
          timeout: z.number(),
          released: z.number(),
          cancelled: z.number(),
        }),
        earned: z.number(),
        pending: z.object({ reports: z.number(), releases: z.number(), earned: z.number() }),
      })
      .optional(),
    isTest: z.boolean(),
  })
  .transform((message) => ({ ...message, summary: message.summary }));
const json = z.string().transform((text): unknown => JSON.parse(text));
const STATE_ROW = z.object({ detail: json.pipe(KEPT) });
const QUEUE_ROW: z.ZodType<QueuedNotification> = z.object({
  target: z.enum(['webhook', 'ntfy', 'command']),
  message: json.pipe(MESSAGE),
});

/** The notifications in the journal. What an agent of another version wrote, and this one cannot read, is left out. */
export class SqliteNotifications implements NotificationStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  load(): { readonly kept: KeptNotifications | undefined; readonly queue: readonly QueuedNotification[] } {
    const { prepared } = this.#access;
    return this.#access.read(() => {
      // A journal that only an older agent has written, and that is only read now, has no such tables.
      if (prepared(EXISTS).get() === undefined) return { kept: undefined, queue: [] };
      const state = prepared('SELECT detail FROM notification_state').get();
      const rows = prepared('SELECT target, message FROM notification_queue ORDER BY seq').all();
      return {
        kept: readable(STATE_ROW, state)?.detail,
        queue: rows.flatMap((row) => readable(QUEUE_ROW, row) ?? []),
      };
    });
  }

  save(kept: KeptNotifications, queued: readonly QueuedNotification[]): void {
    const { prepared } = this.#access;
    this.#access.write(() => {
      prepared('INSERT OR REPLACE INTO notification_state (id, detail) VALUES (1, ?)').run(
        JSON.stringify(kept),
      );
      const add = prepared(
        'INSERT OR IGNORE INTO notification_queue (target, message_id, message) VALUES (?, ?, ?)',
      );
      for (const { message, target } of queued) add.run(target, message.id, JSON.stringify(message));
    });
  }

  remove({ message, target }: QueuedNotification): void {
    const { prepared } = this.#access;
    this.#access.write(() => {
      prepared('DELETE FROM notification_queue WHERE target = ? AND message_id = ?').run(target, message.id);
    });
  }
}

function readable<T>(schema: z.ZodType<T>, row: unknown): T | undefined {
  try {
    return schema.parse(row);
  } catch (thrown) {
    if (thrown instanceof z.ZodError || thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}
