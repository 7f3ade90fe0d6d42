import { z } from 'zod';
import { NOTIFICATION_KINDS } from '../domain/notification-kinds.ts';
import type { NotificationMessage } from '../domain/ports/notifications.ts';

/** The version of the JSON; raised when a field changes its meaning or is removed. */
export const PAYLOAD_SCHEMA = 1;

const INSTANT = z.iso.datetime();
const COUNT = z.int().min(0);

/** A notification in JSON, as webhooks and command hooks get it; times are ISO 8601 in UTC, money is US dollars. */
export const PAYLOAD = z.object({
  schema: z.literal(PAYLOAD_SCHEMA),
  /** The same for each try and each target: what has this id already, a receiver may drop. */
  id: z.string(),
  at: INSTANT,
  host: z.string(),
  kind: z.enum(NOTIFICATION_KINDS),
  state: z.enum(['problem', 'resolved', 'info']),
  test: z.boolean(),
  title: z.string(),
  text: z.string(),
  items: z.array(
    z.object({
      key: z.string(),
      name: z.string(),
      why: z.string(),
      hint: z.string().nullable(),
      since: INSTANT,
      times: COUNT,
    }),
  ),
  summary: z
    .object({
      since: INSTANT,
      until: INSTANT,
      jobs: z.object({
        succeeded: COUNT,
        failed: COUNT,
        timeout: COUNT,
        released: COUNT,
        cancelled: COUNT,
      }),
      earned: z.number(),
      pending: z.object({ reports: COUNT, releases: COUNT, earned: z.number() }),
    })
    .nullable(),
});

/** The JSON of a message. */
export function payloadOf(message: NotificationMessage): string {
  const { at, host, id, isTest, items, kind, state, summary, text, title } = message;
  const instant = (ms: number): string => new Date(ms).toISOString();
  const payload: z.infer<typeof PAYLOAD> = {
    schema: PAYLOAD_SCHEMA,
    id,
    at: instant(at),
    host,
    kind,
    state,
    test: isTest,
    title,
    text,
    items: items.map(({ hint, key, name, since, times, why }) => ({
      key,
      name,
      why,
      hint: hint ?? null,
      since: instant(since),
      times,
    })),
    summary:
      summary === undefined
        ? null
        : {
            since: instant(summary.since),
            until: instant(summary.until),
            jobs: summary.jobs,
            earned: summary.earned,
            pending: summary.pending,
          },
  };
  return JSON.stringify(payload);
}
