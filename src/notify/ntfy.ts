import { notificationKind } from '../domain/notification-kinds.ts';
import type { NotificationMessage, NotificationTarget } from '../domain/ports/notifications.ts';
import type { HttpSettings } from '../http-client/exchange.ts';
import { withoutPath } from '../lib/secret-url.ts';
import { post } from './post.ts';
import { readSecret } from './secret.ts';

/** ntfy's, from 1 to 5; 3 is its default. */
const PRIORITIES = { high: 4, normal: 3, low: 2 } as const;
/** Emojis of ntfy. */
const TAGS = { problem: 'warning', resolved: 'white_check_mark', info: 'information_source' } as const;

export type NtfyOptions = {
  /** Of the topic. */
  readonly url: string;
  readonly tokenFile: string | undefined;
  readonly http: HttpSettings;
};

/** Publishes messages to a topic of ntfy, as JSON, since its headers take no other characters than ASCII. */
export class Ntfy implements NotificationTarget {
  readonly name = 'ntfy';
  readonly address: string;
  readonly #options: NtfyOptions;

  constructor(options: NtfyOptions) {
    this.#options = options;
    this.address = withoutPath(options.url);
  }

  async send(message: NotificationMessage, signal: AbortSignal): Promise<void> {
    const { http, tokenFile, url: written } = this.#options;
    const url = new URL(written);
    const [, base = '/', topic = ''] = /^(.*\/)([^/]*)$/.exec(url.pathname) ?? [];
    url.pathname = base;
    const { kind, state, text, title } = message;
    const isOver = state === 'resolved';
    const body = JSON.stringify({
      topic,
      title,
      message: text,
      priority: isOver ? PRIORITIES.normal : PRIORITIES[notificationKind(kind).urgency],
      tags: [TAGS[state]],
    });
    const headers = tokenFile === undefined ? {} : { authorization: `Bearer ${readSecret(tokenFile)}` };
    await post(http, { url, headers, body, signal });
  }
}
