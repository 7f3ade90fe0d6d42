import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Notifications } from './agent/notifications/notifications.ts';
import type { Config } from './config/config.ts';
import { NOTIFICATION_KINDS, type NotificationKind } from './domain/notification-kinds.ts';
import type { Clock } from './domain/ports/clock.ts';
import type { JobSums } from './domain/ports/job-sums.ts';
import type { NotificationStore, NotificationTarget } from './domain/ports/notifications.ts';
import type { Zone } from './domain/schedule/zone.ts';
import { waitAtMost } from './lib/deadline.ts';
import type { Log } from './lib/log.ts';
import type { Redactor } from './lib/redactor.ts';
import { CommandHook } from './notify/command-hook.ts';
import { Ntfy } from './notify/ntfy.ts';
import { Webhook } from './notify/webhook.ts';

/** How long a try that is under way may take to end with the agent. */
const END_MS = 400;

/** The targets that the owner has configured. */
export function notificationTargets(
  config: Config,
  { now }: { readonly now: () => number },
): readonly NotificationTarget[] {
  const { notifyCommand, notifyNtfy, notifyNtfyTokenFile, notifyWebhook, notifyWebhookSecretFile } = config;
  return [
    ...(notifyWebhook === undefined
      ? []
      : [new Webhook({ url: notifyWebhook, secretFile: notifyWebhookSecretFile, http: config, now })]),
    ...(notifyNtfy === undefined
      ? []
      : [new Ntfy({ url: notifyNtfy, tokenFile: notifyNtfyTokenFile, http: config })]),
    ...(notifyCommand === undefined ? [] : [new CommandHook(notifyCommand)]),
  ];
}

/** The kinds that the owner wants. */
export function wantedNotifications({
  notifyDailyAt,
  notifyEvents,
}: Pick<Config, 'notifyDailyAt' | 'notifyEvents'>): readonly NotificationKind[] {
  return NOTIFICATION_KINDS.filter(
    (kind) =>
      (notifyEvents.length === 0 || notifyEvents.includes(kind)) &&
      (kind !== 'daily-summary' || notifyDailyAt !== 'off'),
  );
}

/** Notifies the owner by the agent's events until it is disposed of; undefined: there is no target. */
export function openNotifications(
  {
    clock,
    loaded: { config },
    log,
    redactor,
  }: {
    readonly clock: Clock;
    readonly loaded: { readonly config: Config };
    readonly log: Log;
    readonly redactor: Pick<Redactor, 'text'>;
  },
  journal: { readonly notifications: NotificationStore; readonly sums: Pick<JobSums, 'pending' | 'since'> },
  zone: () => Zone,
): (AsyncDisposable & Pick<Notifications, 'observe'>) | undefined {
  const targets = notificationTargets(config, clock);
  if (targets.length === 0) return undefined;
  const wanted = wantedNotifications(config);
  const { notifyDailyAt: minute } = config;
  const notifications = new Notifications({
    targets,
    store: journal.notifications,
    sums: journal.sums,
    clock,
    random: Math.random,
    newId: randomUUID,
    log,
    redact: (text) => redactor.text(text),
    host: hostname(),
    wanted: new Set(wanted),
    daily: minute === 'off' || !wanted.includes('daily-summary') ? undefined : { minute, zone },
  });
  const ended = new AbortController();
  const working = notifications.work(ended.signal).catch((thrown: unknown) => {
    log.error({ event: 'task-failed', err: thrown }, 'notifications ended');
  });
  return {
    observe: notifications.observe,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await waitAtMost(END_MS, working);
    },
  };
}
