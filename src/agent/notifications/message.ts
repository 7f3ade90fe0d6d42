import type { Notice, NoticeItem } from '../../domain/notification.ts';
import { conditionKind, isCondition, notificationKind } from '../../domain/notification-kinds.ts';
import type { NotificationMessage, Summary } from '../../domain/ports/notifications.ts';
import { cut } from '../../lib/cut.ts';
import { escapeControls } from '../../lib/escape.ts';
import { readableDuration, readableEarnings } from '../../lib/readable.ts';
import { LIMITS } from '../../limits.ts';

/** What a message is made with. */
export type MessageParts = {
  readonly id: string;
  readonly at: number;
  readonly host: string;
  /** Removes secrets. */
  readonly redact: (text: string) => string;
  readonly summary?: Summary | undefined;
  readonly isTest?: boolean;
};

/** The message of a notice: texts are made safe, bounded, and free of secrets. Pure. */
export function messageOf(notice: Notice, parts: MessageParts): NotificationMessage {
  const { at, host, id, isTest = false, redact, summary } = parts;
  const safe = (text: string): string => cut(escapeControls(redact(text)), LIMITS.notify.text.max);
  const safeLines = (text: string): string =>
    cut(redact(text).split('\n').map(escapeControls).join('\n'), LIMITS.notify.text.max);
  const items = notice.items.slice(0, LIMITS.notify.items.max).map((item) => ({
    ...item,
    name: safe(item.name),
    why: safeLines(item.why),
    hint: item.hint === undefined ? undefined : safe(item.hint),
  }));
  const title = `${isTest ? 'test: ' : ''}${safe(host)}: ${titleOf({ ...notice, items })}`;
  const text = cut(textOf({ ...notice, items }, at), LIMITS.notify.message.max);
  return { ...notice, items, id, at, host: safe(host), title, text, summary, isTest };
}

function titleOf({ items, kind, state }: Notice): string {
  const [first] = items;
  const name = first?.name ?? '';
  const { title, titleOfMany } = notificationKind(kind);
  if (state !== 'resolved' || !isCondition(kind))
    return items.length > 1 && titleOfMany !== undefined ? titleOfMany(items.length) : title(name);
  const { over = title, overOfMany } = conditionKind(kind);
  return items.length > 1 && overOfMany !== undefined ? overOfMany(items.length) : over(name);
}

function textOf({ items, state }: Notice, at: number): string {
  const many = items.length > 1;
  return items.map((item) => itemText(item, state, many, at)).join('\n');
}

function itemText(item: NoticeItem, state: Notice['state'], many: boolean, at: number): string {
  const { hint, name, since, times, why } = item;
  const head = many && name !== why ? `${name}: ` : '';
  if (state === 'resolved')
    return `${head}for ${readableDuration(Math.max(at - since, 0))} now; it was: ${why}`;
  const often = times > 1 ? ` (${times} times since the last message)` : '';
  return `${head}${why}${often}${hint === undefined ? '' : `\nhint: ${hint}`}`;
}

/** A daily summary as the item of its notice. Pure. */
export function summaryItem(summary: Summary, problems: readonly NoticeItem[]): NoticeItem {
  const { earned, jobs, pending, since, until } = summary;
  const total = Object.values(jobs).reduce((sum, some) => sum + some, 0);
  const outcomes = Object.entries(jobs)
    .filter(([, some]) => some > 0)
    .map(([outcome, some]) => `${some} ${outcome}`);
  const lines = [
    `jobs in ${readableDuration(Math.max(until - since, 0))}: ${outcomes.join(', ') || 'none'}`,
    `earned: ${readableEarnings(earned)}`,
    ...(pending.reports + pending.releases === 0
      ? []
      : [
          `pending: ${readableEarnings(pending.earned)} of ${pending.reports} reports, ${pending.releases} releases`,
        ]),
    ...(problems.length === 0
      ? ['no problems']
      : problems.map(({ name, why }) => `problem: ${name === why ? '' : `${name}: `}${why}`)),
  ];
  return {
    key: 'day',
    name: `${total} ${total === 1 ? 'job' : 'jobs'}, ${readableEarnings(earned)} earned`,
    why: lines.join('\n'),
    hint: undefined,
    since,
    times: 1,
  };
}
