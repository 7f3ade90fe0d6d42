import { once } from 'node:events';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ask, follow } from '../../../src/control-api/ask.ts';
import { ENDPOINTS, type Endpoint } from '../../../src/control-api/endpoints.ts';
import { NOTHING } from '../../../src/control-api/protocol.ts';
import { type Route, route } from '../../../src/control-api/route.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { CONTROL_SOCKET, socketsOf } from '../../../src/control-api/sockets.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { http } from '../../../src/lib/http.ts';
import { LIMITS } from '../../../src/limits.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const seen: unknown[] = [];
async function* numbers(): AsyncGenerator<{ number: number }, void> {
  for (const number of [1, 2, 3]) yield { number };
}
const ANY = z.looseObject({});
const getOf = (path: string) =>
  ({ method: 'GET', path, right: 'read', does: '', request: NOTHING, answer: ANY }) satisfies Endpoint;
const PAUSE = { ...ENDPOINTS.pause, answer: ANY };
const ROUTES: readonly Route[] = [
  route(getOf('/api/look'), async () => ({ looked: true })),
  route(getOf('/api/numbers'), numbers),
  route(getOf('/api/jobs/'), async ({ query, rest }) => ({ rest, follow: query.get('follow') })),
  route(PAUSE, async (call) => {
    seen.push(call.body);
    if (call.body.note === 'full') throw new AgentError('STATE_DIR_UNUSABLE', 'the disk is full');
    return { by: call.caller };
  }),
];
const serve = (runtimeDir?: string) =>
  serveControl(socketsOf(directory, runtimeDir), { routes: ROUTES, version: '1.2.3' });
const looked = (path: string) => ask(directory, getOf(path), { caller: 'ada' }, 5_000);
// What a caller must not send is sent all the same.
const paused = (body: object, caller = 'ada') =>
  ask(directory, { ...PAUSE, request: ANY }, { body: { ...body }, caller }, 5_000);

/** A raw request at a socket: its status and body. */
async function raw(path: string, method: string, at: string, body?: string) {
  const { promise, reject, resolve } = Promise.withResolvers<{ status: number | undefined; text: string }>();
  const request = http.request({ socketPath: path, method, path: at, agent: false }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.once('end', () => resolve({ status: response.statusCode, text }));
  });
  request.once('error', reject);
  request.end(body);
  const { status, text } = await promise;
  return { status, body: ANY.parse(JSON.parse(text)) };
}

describe('the control socket', () => {
  test('answers with its schema and version, passes paths, queries and who calls', async () => {
    await using _ = await serve();
    expect(await looked('/api/look')).toEqual({
      kind: 'answer',
      answer: { schema: 1, version: '1.2.3', looked: true },
    });
    expect(await looked('/api/jobs/a%20b?follow=yes')).toMatchObject({
      answer: { rest: 'a b', follow: 'yes' },
    });
    expect(await paused({ targets: ['0'], forMs: 60_000 })).toMatchObject({ answer: { by: 'ada' } });
    expect(seen.at(-1)).toEqual({ targets: ['0'], minors: [], forMs: 60_000, tag: '' });
    await paused({ until: '2026-12-24T18:00:00+01:00' });
    expect(seen.at(-1)).toMatchObject({ until: Date.UTC(2026, 11, 24, 17) });
    expect(await paused({}, 'x\u00e9\u001b')).toMatchObject({ answer: { by: 'x__' } });
  });

  test('streams one object a line', async () => {
    await using _ = await serve();
    const items: unknown[] = [];
    const signal = AbortSignal.timeout(5_000);
    for await (const item of follow(directory, getOf('/api/numbers'), { caller: 'ada' }, signal))
      items.push(item);
    expect(items).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }]);
  });

  test.each([
    ['what it does not know', { targets: [], extra: 1 }],
    ['two ends', { forMs: 1, until: '2026-12-24T18:00:00Z' }],
    ['an end that is no time', { forMs: -1 }],
    ['a text instead of a list', { targets: '0' }],
    ['a note without end', { note: 'x'.repeat(501) }],
    ['a request without end', { note: 'x'.repeat(70_000) }],
    ['thousands of targets', { targets: Array.from({ length: 300 }, String) }],
  ])('refuses %s', async (_, body) => {
    await using _server = await serve();
    await expect(paused(body)).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
  });

  test('passes on the error of a command, with its code', async () => {
    await using _ = await serve();
    await expect(paused({ note: 'full' })).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
    await expect(looked('/api/nothing')).rejects.toMatchObject({ code: 'CONTROL_UNKNOWN' });
    const path = join(directory, CONTROL_SOCKET);
    expect(await raw(path, 'DELETE', '/api/look')).toMatchObject({ status: 404 });
    expect(await raw(path, 'POST', '/api/pause', '{')).toMatchObject({
      status: 400,
      body: { error: { code: 'CONTROL_INVALID' } },
    });
    expect(await raw(path, 'POST', '/api/pause', '[]')).toMatchObject({ status: 400 });
  });

  test.each(['/api/jobs/%ff', '//', 'http://['])('refuses the path %s', async (at) => {
    await using _ = await serve();
    expect(await raw(join(directory, CONTROL_SOCKET), 'GET', at)).toMatchObject({
      status: 400,
      body: { error: { code: 'CONTROL_INVALID' } },
    });
  });

  test('does not carry out a request behind another, which would get no answer', async () => {
    await using _ = await serve();
    const count = seen.length;
    const one = 'POST /api/pause HTTP/1.1\r\nhost: agent\r\ncontent-length: 2\r\n\r\n{}';
    const socket = connect(join(directory, CONTROL_SOCKET));
    socket.write(`${one}${one}`);
    socket.resume();
    await once(socket, 'close');
    expect(seen).toHaveLength(count + 1);
  });

  test('answers as soon as those who keep it busy without a request are closed', async () => {
    await using _ = await serve();
    const idle = Array.from({ length: LIMITS.host.controlConnections.max }, () =>
      connect(join(directory, CONTROL_SOCKET)).on('error', () => undefined),
    );
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    expect(await ask(directory, getOf('/api/look'), { caller: 'ada' }, 20_000)).toMatchObject({
      kind: 'answer',
    });
    for (const socket of idle) socket.destroy();
  });

  test('of a service lets its group do everything at one socket, and only look at the other', async () => {
    const runtimeDir = await mkdtemp(join(tmpdir(), 'runtime-'));
    await using _ = await serve(runtimeDir);
    const modes = [
      join(directory, 'control.sock'),
      join(runtimeDir, 'control.sock'),
      join(runtimeDir, 'read.sock'),
    ];
    expect(await Promise.all(modes.map(async (path) => (await stat(path)).mode & 0o777))).toEqual([
      0o600, 0o660, 0o660,
    ]);
    const readSocket = join(runtimeDir, 'read.sock');
    expect(await raw(readSocket, 'GET', '/api/look')).toMatchObject({ status: 200, body: { looked: true } });
    const count = seen.length;
    expect(await raw(readSocket, 'POST', '/api/pause', '{}')).toMatchObject({
      status: 403,
      body: { error: { code: 'CONTROL_DENIED' } },
    });
    expect(seen).toHaveLength(count);
    expect(await raw(join(runtimeDir, 'control.sock'), 'POST', '/api/pause', '{}')).toMatchObject({
      status: 200,
    });
    await rm(runtimeDir, { recursive: true });
  });

  test('is not made over a file that is no socket', async () => {
    await writeFile(join(directory, CONTROL_SOCKET), 'mine');
    await expect(serve()).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
  });

  test('is replaced where a crash has left one', async () => {
    const first = await serve();
    await using _ = await serve();
    expect((await looked('/api/look')).kind).toBe('answer');
    await first[Symbol.asyncDispose]();
  });
});

describe('a caller', () => {
  const answering = async (text: string) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${text}`));
    });
    server.listen(join(directory, CONTROL_SOCKET));
    await once(server, 'listening');
    return { [Symbol.dispose]: () => void server.close() };
  };

  test('refuses an agent of another schema', async () => {
    using _ = await answering('{"schema":2,"version":"9.0.0","looked":true}');
    await expect(looked('/api/look')).rejects.toMatchObject({ code: 'CONTROL_VERSION' });
  });

  test('refuses an agent that knows no schema', async () => {
    using _ = await answering('{"looked":true}');
    await expect(looked('/api/look')).rejects.toMatchObject({ code: 'CONTROL_VERSION' });
  });

  test('takes what is no JSON for silence', async () => {
    using _ = await answering('<html>');
    expect(await looked('/api/look')).toEqual({ kind: 'silent' });
  });

  test.runIf(process.getuid?.() === 0)('does not use a socket of another user', async () => {
    await using _ = await serve();
    await chown(join(directory, CONTROL_SOCKET), 65534, 65534);
    await expect(looked('/api/look')).rejects.toMatchObject({ code: 'CONTROL_FOREIGN' });
  });

  test('finds none where there is none', async () => {
    expect(await looked('/api/look')).toEqual({ kind: 'none' });
  });
});
