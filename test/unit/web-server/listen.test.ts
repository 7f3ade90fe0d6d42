import { describe, expect, test } from 'vitest';
import { bestEncoding } from '../../../src/web-server/encoding.ts';
import { listenProblem } from '../../../src/web-server/listen-problem.ts';
import { linkUrls, urlOf } from '../../../src/web-server/page-address.ts';
import { hasAlready } from '../../../src/web-server/page-file.ts';

describe('the address of the page', () => {
  test.each([
    ['127.0.0.1', [], 'http://127.0.0.1:8470'],
    ['localhost', [], 'http://localhost:8470'],
    ['::1', [], 'http://[::1]:8470'],
    ['192.168.1.7', [], 'http://192.168.1.7:8470'],
    ['fd00::7', [], 'http://[fd00::7]:8470'],
    ['0.0.0.0', [], 'http://127.0.0.1:8470'],
    ['::', [], 'http://[::1]:8470'],
    ['0.0.0.0', ['gpu.example', 'b'], 'http://gpu.example:8470'],
    ['192.168.1.7', ['gpu.example'], 'http://gpu.example:8470'],
    // The name is that of a proxy, and the link is for this machine.
    ['127.0.0.1', ['gpu.example'], 'http://127.0.0.1:8470'],
  ])('at %s with the names %j is %s', (host, names, url) => {
    expect(urlOf({ host, port: 8470 }, names)).toBe(url);
  });

  test('in a link is also that of the owner’s proxy', () => {
    expect(linkUrls({ host: '127.0.0.1', port: 8470 }, ['gpu.example'], 'T')).toEqual({
      url: 'http://127.0.0.1:8470/#link=T',
      others: ['https://gpu.example/#link=T'],
    });
    expect(linkUrls({ host: '0.0.0.0', port: 1 }, ['a', 'b'], 'T')).toEqual({
      url: 'http://a:1/#link=T',
      others: ['http://b:1/#link=T'],
    });
  });
});

test.each([
  ['EADDRINUSE', { host: '127.0.0.1', port: 8470 }, '--listen 127.0.0.1:8471'],
  ['EADDRINUSE', { host: '::1', port: 65_535 }, '--listen [::1]:8470'],
  ['EADDRNOTAVAIL', { host: '192.0.2.1', port: 8470 }, '--listen 127.0.0.1:8470'],
  ['EACCES', { host: '127.0.0.1', port: 80 }, '--listen 127.0.0.1:8470'],
  ['EMFILE', { host: '127.0.0.1', port: 80 }, '--listen off'],
])('%s at %j has a hint with %s', (code, address, hint) => {
  expect(listenProblem(Object.assign(new Error('no'), { code }), address).hint).toContain(hint);
});

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['br;q=0, gzip;q=0.5', 'gzip'],
  ['br;q=0.000,gzip ; q=0', 'identity'],
  ['BR', 'br'],
  ['x-br', 'identity'],
  [undefined, 'identity'],
])('a browser that takes %j gets %s', (accepted, encoding) => {
  expect(bestEncoding(accepted)).toBe(encoding);
});

test.each([
  ['W/"a"', true],
  ['"x", "a"', true],
  ['"b"', false],
  [undefined, false],
])('a browser with the tags %j has the file: %s', (tags, has) => {
  expect(hasAlready('W/"a"', tags)).toBe(has);
});
