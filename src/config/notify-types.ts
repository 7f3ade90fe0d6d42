import { NOTIFICATION_KINDS, type NotificationKind } from '../domain/notification-kinds.ts';
import { isLoopback } from '../lib/loopback.ts';
import { withoutPath } from '../lib/secret-url.ts';
import { choice } from './text-types.ts';
import { BadValue, list, quoted, single, type ValueType } from './value-type.ts';

/** A URL whose path may be a secret, such as that of a webhook, so it is never shown. */
function notifyUrl(example: string, isWhole: (url: URL) => boolean): ValueType<string> {
  const hint = `write a URL such as ${example}`;
  return single({
    metavar: 'URL',
    parse: (text) => {
      const url = URL.parse(text);
      if (url === null || !/^https?:\/\//i.test(text))
        throw new BadValue('is not an http or https URL', hint);
      if (url.username !== '' || url.password !== '')
        throw new BadValue(
          'has a user name or password in the URL',
          'remove it, and use a file for the secret',
        );
      if (url.hash !== '') throw new BadValue('has a fragment', 'remove everything from # on');
      if (!isWhole(url)) throw new BadValue('is not complete', hint);
      return url.href;
    },
    show: withoutPath,
    warn: (text) => {
      const { hostname, origin, protocol } = new URL(text);
      return protocol === 'http:' && !isLoopback(hostname)
        ? `${origin} is plain http: others on the network can read and change what is sent`
        : undefined;
    },
  });
}

/** The URL of a webhook. */
export const webhookUrl = notifyUrl('https://example.org/hooks/gpu', () => true);

/** The URL of a topic of ntfy; its last part is the topic. */
export const ntfyUrl = notifyUrl(
  'https://ntfy.sh/TOPIC',
  ({ pathname, search }) => /\/[-_A-Za-z0-9]{1,64}$/.test(pathname) && search === '',
);

/** The URL of published prices, which may have an access key in it. */
export const pricesUrl = notifyUrl('https://example.org/prices.json', () => true);

/** A time of the day, in minutes from midnight. */
export const timeOfDay: ValueType<number | 'off'> = single({
  metavar: 'HH:MM|off',
  parse: (text) => {
    if (text.toLowerCase() === 'off') return 'off';
    const [, hours = '', minutes = ''] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
    if (hours === '' || Number(hours) > 23 || Number(minutes) > 59)
      throw new BadValue(`${quoted(text)} is not a time of the day`, 'write a time such as 09:00, or off');
    return Number(hours) * 60 + Number(minutes);
  },
  show: (value) =>
    value === 'off'
      ? value
      : [Math.floor(value / 60), value % 60].map((part) => String(part).padStart(2, '0')).join(':'),
});

/** Kinds of notifications. */
export const notificationKinds: ValueType<readonly NotificationKind[]> = {
  ...list(choice(...NOTIFICATION_KINDS)),
  metavar: 'KIND,...',
};
