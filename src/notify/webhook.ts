import { createHmac } from 'node:crypto';
import type { NotificationMessage, NotificationTarget } from '../domain/ports/notifications.ts';
import type { HttpSettings } from '../http-client/exchange.ts';
import { withoutPath } from '../lib/secret-url.ts';
import { payloadOf } from './payload.ts';
import { post } from './post.ts';
import { readSecret } from './secret.ts';

export type WebhookOptions = {
  readonly url: string;
  /** Undefined: it is not signed. */
  readonly secretFile: string | undefined;
  readonly http: HttpSettings;
  /** The wall clock, in milliseconds. */
  readonly now: () => number;
};

/** Posts messages as JSON, signed with a secret that the receiver has too; see docs/notifications.md. */
export class Webhook implements NotificationTarget {
  readonly name = 'webhook';
  readonly address: string;
  readonly #options: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#options = options;
    this.address = withoutPath(options.url);
  }

  async send(message: NotificationMessage, signal: AbortSignal): Promise<void> {
    const { http, now, secretFile, url } = this.#options;
    const body = payloadOf(message);
    const timestamp = String(Math.floor(now() / 1000));
    const headers = {
      'x-sharedcloud-id': message.id,
      'x-sharedcloud-timestamp': timestamp,
      ...(secretFile === undefined
        ? {}
        : { 'x-sharedcloud-signature': signatureOf(readSecret(secretFile), timestamp, body) }),
    };
    await post(http, { url: new URL(url), headers, body, signal });
  }
}

/** HMAC-SHA256 of the timestamp, a dot and the body, in hexadecimal, behind its version. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}
