import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { chooseRoute } from '../../../src/http-client/proxy.ts';
import { proxySecrets, withoutCredentials } from '../../../src/lib/proxy-url.ts';

const PROXY = 'http://proxy.example:3128';
const route = (broker: string, settings: { httpProxy?: string; httpsProxy?: string; noProxy?: string }) =>
  chooseRoute(new URL(broker), {
    httpProxy: settings.httpProxy,
    httpsProxy: settings.httpsProxy,
    noProxy: settings.noProxy?.split(/[,\s]+/) ?? [],
  });
const how = (broker: string, settings: Parameters<typeof route>[1]): string => {
  const chosen = route(broker, settings);
  return chosen.kind === 'proxy' ? chosen.proxy.origin : chosen.why;
};

test.each([
  ['https://b.example', {}, 'unset'],
  ['https://b.example', { httpsProxy: PROXY }, PROXY],
  ['http://b.example', { httpProxy: PROXY }, PROXY],
  ['https://b.example', { httpProxy: PROXY }, 'other-scheme'],
  ['http://b.example', { httpsProxy: PROXY }, 'other-scheme'],
  ['http://127.0.0.1:8080', { httpProxy: PROXY }, 'loopback'],
  ['http://[::1]:8080', { httpProxy: PROXY }, 'loopback'],
  ['https://localhost', { httpsProxy: PROXY }, 'loopback'],
  ['https://broker.localhost', { httpsProxy: PROXY }, 'loopback'],
  ['https://b.example', { httpsProxy: 'proxy.example:3128' }, PROXY],
  ['https://b.example', { httpsProxy: 'https://proxy.example' }, 'https://proxy.example'],
  ['https://b.example', { httpsProxy: `${PROXY}/` }, PROXY],
])('%s with %j: %s', (broker, settings, expected) => {
  expect(how(broker, settings)).toBe(expected);
});

test.each([
  ['b.example', true],
  ['B.Example.', true],
  ['.example', true],
  ['example', true],
  ['*.example', true],
  ['*', true],
  ['other,b.example', true],
  ['b.example:443', true],
  ['b.example:80', false],
  ['*:443', true],
  ['*.b.example', false],
  ['x.b.example', false],
  ['ample', false],
  ['.', false],
  ['10.0.0.0/8', false],
])('no-proxy %s for b.example: %s', (noProxy, expected) => {
  expect(how('https://b.example', { httpsProxy: PROXY, noProxy })).toBe(expected ? 'no-proxy' : PROXY);
});

test.each([
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.3:443', true],
  ['10.1.2.3', '10.0.0.0/8', true],
  ['10.1.2.3', '10.1.2.0/24', true],
  ['10.1.2.3', '10.1.3.0/24', false],
  ['10.1.2.3', '10.0.0.0/99', false],
  ['10.1.2.3', '2.3', false],
  ['10.1.2.3', '.3', false],
  ['[2001:db8::1]', '2001:db8::1', true],
  ['[2001:db8::1]', '2001:0db8:0::1', true],
  ['[2001:db8::1]', '[2001:db8::1]', true],
  ['[2001:db8::1]', '[2001:db8::1]:443', true],
  ['[2001:db8::1]', '[2001:db8::1]:80', false],
  ['[2001:db8::1]', '2001:db8::/32', true],
  ['[2001:db8::1]', '10.0.0.0/8', false],
])('a broker at %s with no-proxy %s: %s', (host, noProxy, expected) => {
  expect(how(`https://${host}`, { httpsProxy: PROXY, noProxy })).toBe(expected ? 'no-proxy' : PROXY);
});

describe('credentials', () => {
  test.each([
    ['http://me:secret@proxy.example:3128', 'me:secret'],
    ['http://me:p%40ss%3Aw%2Frd%23@proxy.example:3128', 'me:p@ss:w/rd#'],
    ['http://me@proxy.example:3128', 'me:'],
    ['me:secret@proxy.example:3128', 'me:secret'],
    ['http://me:100%@proxy.example:3128', 'me:100%'],
  ])('of %s are sent and not shown', (httpsProxy, credentials) => {
    const chosen = route('https://b.example', { httpsProxy });
    if (chosen.kind !== 'proxy') throw new Error('no proxy is used');
    const encoded = Buffer.from(credentials).toString('base64');
    expect(chosen.proxy).toMatchObject({ origin: PROXY, authorization: `Basic ${encoded}` });
    expect(withoutCredentials(httpsProxy)).toBe(PROXY);
  });

  test.each([
    'http://me:se/cret@proxy.example:3128',
    'http://me:se#cret@proxy.example:3128',
    'http://me:12/cret@proxy.example:3128',
    'socks5://me:secret-cret@proxy.example:1080',
    'http://me:cret@[proxy',
    'http://',
    'socks://proxy.example',
    'ftp://proxy.example',
    'not a url',
  ])('of %s, which cannot be used, are not shown', (httpsProxy) => {
    let error: unknown;
    try {
      route('https://b.example', { httpsProxy });
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof AgentError)) throw new Error('it was used');
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.hint).toBeDefined();
    expect(`${error.message}${withoutCredentials(httpsProxy)}`).not.toContain('cret');
  });

  test('whatever they are, are not shown, and the redactor knows them', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{6,20}$/), (password) => {
        const url = `http://me:${password}@proxy.example:3128`;
        if (!'http://proxy.example:3128'.includes(password.trim()))
          expect(withoutCredentials(url)).not.toContain(password.trim());
        expect(proxySecrets(url).length).toBeGreaterThan(0);
      }),
    );
  });
});
