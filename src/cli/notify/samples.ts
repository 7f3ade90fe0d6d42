import { messageOf, summaryItem } from '../../agent/notifications/message.ts';
import type { Notice, NoticeItem } from '../../domain/notification.ts';
import { isCondition, type NotificationKind, notificationKind } from '../../domain/notification-kinds.ts';
import type { NotificationMessage, Summary } from '../../domain/ports/notifications.ts';

const HOUR_MS = 3_600_000;
const GPU = { key: 'GPU-0', name: 'GPU 0, example' };
const HOST = { key: 'host', name: 'this host' };
const BROKER = { key: 'one', name: 'the broker' };

/** What a sample of each kind is about. */
const SUBJECTS: Readonly<Record<NotificationKind, { readonly key: string; readonly name: string }>> = {
  'gpu-cordoned': GPU,
  'token-refused': BROKER,
  'broker-unreachable': BROKER,
  'claiming-blocked': HOST,
  'disk-low': HOST,
  'no-jobs': HOST,
  'reclaim-incomplete': GPU,
  vulnerability: { key: 'example', name: 'an example' },
  'daily-summary': HOST,
};

const FIGURES = {
  jobs: { succeeded: 3, failed: 1, timeout: 0, released: 0, cancelled: 0 },
  earned: 1.25,
  pending: { reports: 1, releases: 0, earned: 0.5 },
};

/** A message of a kind as it would come, marked as a test. */
export function sampleOf(
  kind: NotificationKind,
  parts: {
    readonly id: string;
    readonly at: number;
    readonly host: string;
    readonly redact: (text: string) => string;
  },
): NotificationMessage {
  const { at } = parts;
  const summary: Summary | undefined =
    kind === 'daily-summary' ? { ...FIGURES, since: at - 24 * HOUR_MS, until: at } : undefined;
  const item: NoticeItem =
    summary === undefined
      ? {
          ...SUBJECTS[kind],
          why: `a test of this message: ${notificationKind(kind).what}`,
          hint: 'nothing to do, it is a test',
          since: at - HOUR_MS,
          times: 1,
        }
      : summaryItem(summary, []);
  const notice: Notice = { kind, state: isCondition(kind) ? 'problem' : 'info', items: [item] };
  return messageOf(notice, { ...parts, summary, isTest: true });
}
