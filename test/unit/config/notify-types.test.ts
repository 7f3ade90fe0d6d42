import { describe, expect, test } from 'vitest';
import { ntfyUrl, timeOfDay, webhookUrl } from '../../../src/config/notify-types.ts';
import { BadValue } from '../../../src/config/value-type.ts';
import { load } from '../../support/config/load.ts';

const SECRET = 's3cret-path';

describe('the URL of a webhook', () => {
  test.each(['https://example.org/hooks/x?y=z', 'http://127.0.0.1:8123/api', 'http://[::1]/'])(
    'may be %s',
    (url) => {
      expect(webhookUrl.read([url])).toBe(url);
      expect(webhookUrl.warn?.(url)).toBeUndefined();
    },
  );

  test.each([
    `ftp://example.org/${SECRET}`,
    `https://ada:${SECRET}@example.org/x`,
    `https://example.org/#${SECRET}`,
    `example.org/${SECRET}`,
    '',
  ])('may not be %s, and is not repeated', (url) => {
    const error = (() => {
      try {
        return webhookUrl.read([url]);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(BadValue);
    expect(JSON.stringify([error, String(error)])).not.toContain(SECRET);
  });

  test('is shown without its path, and warned of where others can read it', () => {
    expect(webhookUrl.show(`https://example.org/${SECRET}`)).toBe('https://example.org/…');
    expect(webhookUrl.warn?.(`http://example.org/${SECRET}`)).toContain('http://example.org ');
    expect(webhookUrl.warn?.(`http://example.org/${SECRET}`)).not.toContain(SECRET);
  });
});

test.each(['https://ntfy.sh', 'https://ntfy.sh/', 'https://ntfy.sh/a b', 'https://ntfy.sh/topic?auth=x'])(
  'a URL without just a topic is none of ntfy: %s',
  (url) => {
    expect(() => ntfyUrl.read([url])).toThrow(BadValue);
  },
);

test.each([
  ['00:00', 0],
  ['9:05', 545],
  ['23:59', 1439],
  ['OFF', 'off'],
] as const)('the time of the day %s', (text, value) => {
  expect(timeOfDay.read([text])).toBe(value);
  expect(timeOfDay.read([timeOfDay.show(value)])).toBe(value);
});

test.each(['24:00', '12:60', '9', 'noon', '-1:00'])('%s is no time of the day', (text) => {
  expect(() => timeOfDay.read([text])).toThrow(BadValue);
});

test('an unknown kind of notification is named, with those that there are', async () => {
  await expect(load({ flags: { notifyEvents: ['gpu-cordoned,gpu-hot'] } })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    hint: expect.stringContaining('disk-low') as unknown,
  });
});
