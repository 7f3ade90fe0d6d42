import { describe, expect, test } from 'vitest';
import { type HostRules, refusalOf, type Seen } from '../../../src/web-server/guard.ts';

const HOST = '127.0.0.1:8470';
const RULES: HostRules = { listen: '127.0.0.1', names: ['gpu.example', 'fd00::7'] };

/** What the page itself sends from its own origin. */
function seen(more: Partial<Seen> & { readonly host?: string } = {}): Seen {
  const { host = HOST, ...rest } = more;
  return {
    method: 'GET',
    url: '/api/status',
    hosts: [host],
    origin: undefined,
    site: undefined,
    hasKey: false,
    ...rest,
  };
}

const codeOf = (more: Parameters<typeof seen>[0], rules = RULES) => refusalOf(seen(more), rules)?.code;

describe('the name by which the page is asked for', () => {
  test.each([
    HOST,
    '127.0.0.1',
    '127.8.9.10:1',
    'localhost:8470',
    'LOCALHOST',
    'localhost.:8470',
    'gpu0.localhost:8470',
    '[::1]:8470',
    'gpu.example',
    'GPU.Example.:443',
    '[fd00::7]:8470',
  ])('may be %s', (host) => {
    expect(codeOf({ host })).toBeUndefined();
  });

  test.each([
    'evil.example',
    'gpu.example.evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example:8470',
    '192.168.1.7:8470',
    '[fd00::8]:8470',
    'user@127.0.0.1',
    '127.0.0.1:8470/x',
    '127.0.0.1:8470:8470',
    '127.0.0.1:99999',
    '[::1',
    'a b',
    '',
  ])('must not be %j', (host) => {
    expect(codeOf({ host })).toBe('HOST_REFUSED');
  });

  test('must be there once', () => {
    expect(codeOf({ hosts: [] })).toBe('HOST_REFUSED');
    expect(codeOf({ hosts: [HOST, HOST] })).toBe('HOST_REFUSED');
  });

  test.each(['0.0.0.0', '::'])('may be any address, but no other name, where it listens on %s', (listen) => {
    const rules = { listen, names: ['gpu.example'] };
    expect(codeOf({ host: '192.168.1.7:8470' }, rules)).toBeUndefined();
    expect(codeOf({ host: '[fd00::8]:8470' }, rules)).toBeUndefined();
    expect(codeOf({ host: 'gpu.example:8470' }, rules)).toBeUndefined();
    expect(codeOf({ host: 'evil.example:8470' }, rules)).toBe('HOST_REFUSED');
  });

  test('may be the address on which it listens', () => {
    const rules = { listen: '192.168.1.7', names: [] };
    expect(codeOf({ host: '192.168.1.7:8470' }, rules)).toBeUndefined();
    expect(codeOf({ host: '192.168.1.8:8470' }, rules)).toBe('HOST_REFUSED');
  });
});

describe('a change', () => {
  const change = { method: 'POST', url: '/api/pause' } as const;

  test.each([
    ['http://127.0.0.1:8470', HOST],
    ['http://localhost:8470', 'localhost:8470'],
    ['http://localhost', 'localhost:80'],
    ['https://gpu.example', 'gpu.example'],
    ['https://gpu.example', 'gpu.example:443'],
    ['https://gpu.example:8443', 'gpu.example:8443'],
  ])('may come from a page of %s at %s', (origin, host) => {
    expect(codeOf({ ...change, origin, host })).toBeUndefined();
  });

  test.each([
    'http://127.0.0.1:9999',
    'http://127.0.0.1',
    'http://localhost:8470',
    'http://evil.example',
    'http://127.0.0.1:8470.evil.example',
    'http://127.0.0.1:8470/',
    'http://user@127.0.0.1:8470',
    'chrome-extension://127.0.0.1:8470',
    'file://',
    'null',
    '',
  ])('must not come from a page of %j, even with the key', (origin) => {
    expect(codeOf({ ...change, origin, hasKey: true })).toBe('ORIGIN_REFUSED');
  });

  test('without an origin needs the key as a header, which no other page can send', () => {
    expect(codeOf(change)).toBe('ORIGIN_REFUSED');
    expect(codeOf({ ...change, hasKey: true })).toBeUndefined();
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'post'])('by %s is one as well', (method) => {
    expect(codeOf({ method, url: '/session' })).toBe('ORIGIN_REFUSED');
  });
});

describe('a request that a browser sends for another site', () => {
  const origin = `http://${HOST}`;
  test.each(['cross-site', 'same-site', 'x'])('(%s) gets no data and changes nothing', (site) => {
    expect(codeOf({ site })).toBe('ORIGIN_REFUSED');
    expect(codeOf({ site, url: '/session' })).toBe('ORIGIN_REFUSED');
    expect(codeOf({ site, method: 'POST', url: '/api/pause', origin })).toBe('ORIGIN_REFUSED');
  });

  test('may follow a link to the page itself', () => {
    expect(codeOf({ site: 'cross-site', url: '/' })).toBeUndefined();
  });

  test.each(['same-origin', 'none'])('(%s) is none', (site) => {
    expect(codeOf({ site, method: 'POST', url: '/api/pause', origin })).toBeUndefined();
  });
});

test.each([
  'http://evil.example/',
  'http://127.0.0.1:8470/api/status',
  '//evil.example/api/status',
  '*',
  'x',
  '',
])('an address of the form %j is none of the page’s', (url) => {
  expect(codeOf({ url })).toBe('CONTROL_INVALID');
});
