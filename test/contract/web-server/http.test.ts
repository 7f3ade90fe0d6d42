import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { type Route, route } from '../../../src/control-api/route.ts';
import { http } from '../../../src/lib/http.ts';
import { LIMITS } from '../../../src/limits.ts';
import { SECURITY_HEADERS } from '../../../src/web-server/headers.ts';
import { headersOf, TestPage } from '../../support/web-server/test-page.ts';

const ANY = z.looseObject({});
const LONG = { points: Array.from({ length: 2_000 }, (_, at) => ({ at, powerW: null })) };
const ROUTES: readonly Route[] = [
  route({ ...ENDPOINTS.status, answer: ANY }, async () => ({ shown: true })),
  route({ ...ENDPOINTS.history, answer: ANY }, async () => LONG),
  route({ ...ENDPOINTS.pause, answer: ANY }, async ({ body }) => ({ note: body.note ?? null })),
];
const open = () => TestPage.open({ routes: ROUTES });

function connected(page: TestPage): Socket {
  const socket = connect(page.port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Everything that comes until the connection is closed. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (text += chunk));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return text;
}

/** What is answered to bytes as they are; `\n` is a line's end. */
async function exchange(page: TestPage, request: string): Promise<string> {
  const socket = connected(page);
  const answer = untilClosed(socket);
  socket.write(request.replaceAll('\n', '\r\n'));
  return answer;
}

const PLAIN_HEADERS = Object.entries(SECURITY_HEADERS).filter(([name]) => name !== 'cache-control');

describe('every answer', () => {
  test.each([
    ['GET', '/', {}, 200],
    ['GET', '/page/main.js', {}, 200],
    ['GET', '/page/style.css', { 'if-none-match': '*' }, 200],
    ['HEAD', '/', {}, 200],
    ['GET', '/healthz', {}, 200],
    ['GET', '/nothing', {}, 404],
    ['GET', '/api/status', {}, 401],
    ['GET', '/session', {}, 401],
    ['GET', '/', { host: 'evil.example' }, 421],
    ['POST', '/session', { origin: 'http://evil.example' }, 403],
    ['OPTIONS', '/api/pause', { origin: 'http://evil.example' }, 403],
  ] as const)('to %s %s with %j has the security headers', async (method, path, headers, status) => {
    const page = await open();
    const got = await page.ask(method, path, { headers });
    expect(got.status).toBe(status);
    expect(got.headers).toMatchObject(Object.fromEntries(PLAIN_HEADERS));
    expect(Object.keys(got.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  test('to a header that is too long has them as well', async () => {
    const page = await open();
    const got = await page.ask('GET', '/', { headers: { 'x-long': 'x'.repeat(LIMITS.page.header.max) } });
    expect(got.status).toBe(431);
    expect(got.headers).toMatchObject(SECURITY_HEADERS);
  });

  test('of the API must not be kept by anybody', async () => {
    const page = await open();
    const headers = headersOf(await page.signIn());
    for (const path of ['/api/status', '/session'])
      expect((await page.ask('GET', path, { headers })).headers['cache-control']).toBe('no-store');
  });
});

describe('a large answer of the API', () => {
  const get = async (page: TestPage, accepted: string) => {
    const headers = { ...headersOf(await page.signIn()), 'accept-encoding': accepted, host: page.host };
    const request = http.get({ port: page.port, path: '/api/history', headers, agent: false });
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
    request.once('response', resolve);
    const response = await promise;
    return { encoding: response.headers['content-encoding'], content: await buffer(response) };
  };

  test.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['zstd', undefined, (content: Buffer) => content],
  ] as const)('for who takes %s is sent as %s', async (accepted, expected, decode) => {
    const { content, encoding } = await get(await open(), accepted);
    expect(encoding).toBe(expected);
    expect(JSON.parse(decode(content).toString())).toMatchObject(LONG);
    if (expected !== undefined) expect(content.length).toBeLessThan(JSON.stringify(LONG).length / 4);
  });
});

describe('the files of the page', () => {
  test('are sent compressed, and again only where they have changed', async () => {
    const page = await open();
    const got = await page.ask('GET', '/page/main.js', { headers: { 'accept-encoding': 'gzip, br' } });
    expect(got.headers).toMatchObject({
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
    });
    const { etag = '' } = got.headers;
    const again = await page.ask('GET', '/page/main.js', { headers: { 'if-none-match': etag } });
    expect(again).toMatchObject({ status: 304, text: '' });
  });

  test.each([
    '/page/../../package.json',
    '/page/%2e%2e/%2e%2e/package.json',
    '/page/..%2f..%2fpackage.json',
    '/page/..%5c..%5cpackage.json',
    '/page//main.js',
    '/page/main.ts',
    '/page/index.html',
    '/page/main.js%00.css',
    '/page/tsconfig.json',
    '/PAGE/main.js',
    '/api/..%2fsession',
    '/page/',
    '/%',
  ])('do not include %s', async (path) => {
    const page = await open();
    const { status } = await page.ask('GET', path, { headers: headersOf(await page.signIn()) });
    expect([400, 404]).toContain(status);
  });
});

describe('a request that no browser sends', () => {
  const GET = 'GET /healthz HTTP/1.1';

  test.each([
    ['GET http://evil.example/healthz HTTP/1.1\nHost: 127.0.0.1\n\n', 400],
    ['GET //evil.example/healthz HTTP/1.1\nHost: 127.0.0.1\n\n', 400],
    ['OPTIONS * HTTP/1.1\nHost: 127.0.0.1\n\n', 400],
    [`${GET}\nHost: 127.0.0.1\nHost: evil.example\n\n`, 421],
    [`${GET}\n\n`, 421],
    ['GET /healthz HTTP/1.0\n\n', 421],
    ['GET /healthz HTTP/1.0\nHost: 127.0.0.1\n\n', 200],
    ['nonsense\n\n', 400],
    ['\u0016\u0003\u0001\n\n', 400],
    [`POST /session HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 2\nTransfer-Encoding: chunked\n\n`, 400],
    [`${GET}\nHost: 127.0.0.1\nX: a\u0000b\n\n`, 400],
  ])('%j is answered with %d, and nothing more', async (request, status) => {
    const page = await open();
    const answer = await exchange(
      page,
      request.includes('1.0') ? request : request.replace('\n\n', '\nConnection: close\n\n'),
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(answer).toContain('x-content-type-options: nosniff');
  });

  test.each([
    ['text/plain', '{"link":"x"}'],
    ['application/x-www-form-urlencoded', 'link=x'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/json', '{"link":'],
    ['application/json', `{"link":"${'x'.repeat(LIMITS.host.controlRequest.max)}"}`],
  ])('with a body of %s is refused', async (type, body) => {
    const page = await open();
    expect(await page.ask('POST', '/session', { body, headers: { 'content-type': type } })).toMatchObject({
      status: 400,
      body: { error: { code: 'CONTROL_INVALID' } },
    });
  });

  test('that does not wait for answers is cut off, and keeps nobody out', async () => {
    const page = await open();
    const socket = connected(page);
    const answers = untilClosed(socket);
    socket.write(`${GET}\r\nHost: 127.0.0.1\r\n\r\n`.repeat(10_000));
    expect((await answers).match(/^HTTP\/1\.1 /gm)?.length ?? 0).toBeLessThan(10_000);
    expect(await page.ask('GET', '/healthz')).toMatchObject({ status: 200 });
  });

  test.concurrent.each([
    ['a header', `${GET}\r\nHost: 127.0.0.1\r\nX`],
    [
      'a body',
      'POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\nContent-Type: application/json\r\nOrigin: http://127.0.0.1\r\n\r\n{',
    ],
  ])('that never ends within %s is closed', async (_where, begun) => {
    const page = await open();
    const socket = connected(page);
    const closed = untilClosed(socket);
    socket.write(begun);
    expect(await page.ask('GET', '/healthz')).toMatchObject({ status: 200 });
    await closed;
  });

  test('for another protocol is not answered', async () => {
    const page = await open();
    const answer = await exchange(
      page,
      `${GET}\nHost: 127.0.0.1\nConnection: upgrade\nUpgrade: websocket\n\n`,
    );
    expect(answer).toBe('');
  });

  test('on one connection too many is closed, and those that are open work', async () => {
    const page = await open();
    const sockets = Array.from({ length: LIMITS.page.connections.max }, () => connected(page));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect(await untilClosed(connected(page))).toBe('');
    const [first] = sockets;
    first?.write(`${GET}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
    expect(first === undefined ? '' : await untilClosed(first)).toMatch(/^HTTP\/1.1 200 /);
  });
});

test('what a buyer wrote is text in JSON, whatever it is', async () => {
  const page = await open();
  const headers = headersOf(await page.signIn());
  const note = '</script><script>alert(1)</script>\u2028\u0000';
  const got = await page.ask('POST', '/api/pause', { headers, body: { note } });
  expect(got.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(got.body).toMatchObject({ note });
});
