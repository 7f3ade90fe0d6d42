import { notificationKinds, ntfyUrl, timeOfDay, webhookUrl } from './notify-types.ts';
import type { Option } from './option.ts';
import { path, program } from './text-types.ts';

/** The options of notifications; a part of the table of all options. */
export const NOTIFY_OPTIONS = {
  notifyWebhook: {
    name: 'notify-webhook',
    env: 'SHAREDCLOUD_NOTIFY_WEBHOOK',
    type: webhookUrl,
    unset: 'none',
    help: 'URL to which notifications are posted as JSON',
    group: 'Notifications',
  },
  notifyWebhookSecretFile: {
    name: 'notify-webhook-secret-file',
    env: 'SHAREDCLOUD_NOTIFY_WEBHOOK_SECRET_FILE',
    type: path,
    unset: 'they are not signed',
    help: 'file with the secret that signs them (HMAC-SHA256), which only its owner may read (mode 0600)',
    group: 'Notifications',
  },
  notifyNtfy: {
    name: 'notify-ntfy',
    env: 'SHAREDCLOUD_NOTIFY_NTFY',
    type: ntfyUrl,
    unset: 'none',
    help: 'URL of a topic of ntfy, for notifications on a phone',
    group: 'Notifications',
  },
  notifyNtfyTokenFile: {
    name: 'notify-ntfy-token-file',
    env: 'SHAREDCLOUD_NOTIFY_NTFY_TOKEN_FILE',
    type: path,
    unset: 'no token',
    help: 'file with the access token of that topic (mode 0600)',
    group: 'Notifications',
  },
  notifyCommand: {
    name: 'notify-command',
    env: 'SHAREDCLOUD_NOTIFY_COMMAND',
    type: program,
    unset: 'none',
    help: 'program that is run for each notification, with its JSON on stdin; as the agent’s user, in the sandbox of its service',
    group: 'Notifications',
  },
  notifyEvents: {
    name: 'notify-events',
    env: 'SHAREDCLOUD_NOTIFY_EVENTS',
    type: notificationKinds,
    default: '',
    unset: 'all',
    help: 'kinds of notifications that are sent; see docs/notifications.md',
    group: 'Notifications',
  },
  notifyDailyAt: {
    name: 'notify-daily-at',
    env: 'SHAREDCLOUD_NOTIFY_DAILY_AT',
    type: timeOfDay,
    default: '09:00',
    help: 'when the daily summary is sent, by `--time-zone`; `off`: never',
    group: 'Notifications',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;
