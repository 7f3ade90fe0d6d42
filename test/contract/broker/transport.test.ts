import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { clientOf, failure, never, TOKEN } from '../../support/broker-client/client.ts';
import { instanceResource, jobResource } from '../../support/broker-client/resources.ts';
import { httpServer, json, tcpServer } from '../../support/faults/server.ts';

const QUERY = { instance: 'inst-1', etag: undefined, waitSeconds: 0, signal: never };
const PLAN = {
  key: 'cpu',
  kind: 'cpu',
  name: 'rig',
  gpu: null,
  cudaCores: 0,
  wholeGpu: false,
  askPrice: 0.01,
  slots: [{ id: 'cpu#0', gpu: null }],
} as const;

/** A message with the broker's origin and the call. */
const namesCall = (url: string): RegExp => new RegExp(`^${url}.* \\(.*GET /api/v1/runs\\)$`);

describe('a call fails for', () => {
  test('a server that accepts the connection and does not answer', async () => {
    await using server = await tcpServer(() => {});
    await using client = clientOf(server.url, { headersMs: 100 });
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toMatch(namesCall(server.url));
    expect(error.hint).toBeDefined();
  });

  test('a body that stops before its end', async () => {
    await using server = await httpServer((_, res) => void res.writeHead(200).write('[{"uuid"'));
    await using client = clientOf(server.url, { bodyIdleMs: 100 });
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toMatch(namesCall(server.url));
    expect(error.hint).toBeDefined();
  });

  test('a body that is sent too slowly', async () => {
    await using server = await httpServer((_, res) => {
      res.writeHead(200);
      const drip = setInterval(() => res.write(' '), 20);
      res.on('close', () => clearInterval(drip));
    });
    await using client = clientOf(server.url, { callMs: 200 });
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toContain('0.2 s');
    expect(error.hint).toBeDefined();
  });

  test('a body of junk without an end', async () => {
    await using server = await httpServer((_, res) => {
      res.writeHead(200);
      const pour = (): void => {
        while (!res.destroyed && res.write('x'.repeat(65_536)));
      };
      res.on('drain', pour);
      pour();
    });
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({
      code: 'BROKER_NOT_JSON',
    });
  });

  test('headers that are too large', async () => {
    await using server = await tcpServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const pour = (): void => {
        while (!socket.destroyed && socket.write(`x-filler: ${'x'.repeat(8_000)}\r\n`));
      };
      socket.on('drain', pour);
      pour();
    });
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  });

  test('a server that does not speak HTTP', async () => {
    await using server = await tcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await using client = clientOf(server.url);
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.hint).toContain('HTTP');
  });

  test('a port where nothing listens', async () => {
    const url = await (async () => {
      await using server = await tcpServer(() => {});
      return server.url;
    })();
    await using client = clientOf(url);
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    for (const part of [url, 'ECONNREFUSED', 'GET /api/v1/runs']) expect(error.message).toContain(part);
    expect(error.hint).toBeDefined();
  });

  test('a host name that does not exist', async () => {
    await using client = clientOf('http://no-such-host.invalid');
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    for (const part of ['http://no-such-host.invalid', 'GET /api/v1/runs'])
      expect(error.message).toContain(part);
    expect(error.message.match(/ENOTFOUND/g)).toHaveLength(1);
    expect(error.hint).toBeDefined();
  });

  test('an https URL of an http server', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url.replace('http:', 'https:'));
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.hint).toContain('http://');
  });

  test('nothing if a held poll takes its wait longer', async () => {
    await using server = await httpServer((_, res) => {
      setTimeout(() => json(res, [], 200, { 'preference-applied': 'wait=25' }), 400);
    });
    await using client = clientOf(server.url, { headersMs: 100, callMs: 200 });
    const answer = await client.broker.runs({ ...QUERY, waitSeconds: 25 });
    expect(answer.waited).toBe(true);
  });

  test('a signal that aborts during a held poll', async () => {
    await using server = await tcpServer(() => {});
    await using client = clientOf(server.url);
    const controller = new AbortController();
    const poll = client.broker.runs({ ...QUERY, waitSeconds: 25, signal: controller.signal });
    await server.connected;
    controller.abort();
    await expect(poll).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  });

  test('a signal that has aborted before, without a request', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url);
    await expect(client.broker.runs({ ...QUERY, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
    });
    expect(server.seen).toHaveLength(0);
  });
});

const ipv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

test.skipIf(!ipv6)('a broker at an IPv6 address is reached (needs IPv6)', async () => {
  await using server = await httpServer((_, res) => json(res, []));
  const front = createServer((socket) => socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket));
  await new Promise<void>((listening) => front.listen(0, '::1', listening));
  const address = front.address();
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  const url = `http://[::1]:${address.port}`;
  {
    await using client = clientOf(url);
    await client.broker.runs(QUERY);
  }
  expect(server.seen[0]?.headers.host).toBe(new URL(url).host);
  front.close();
});

describe('connections', () => {
  test('are shared by consecutive calls', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url);
    for (let call = 0; call < 20; call += 1) await client.broker.runs(QUERY);
    expect(server.seen).toHaveLength(20);
    // Undici may open a second one before the first answer's end has freed the first.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('survive refusals and redirects', async () => {
    await using server = await httpServer(({ url }, res, count) => {
      if (count % 2 === 0) json(res, { detail: 'no' }, 400);
      else res.writeHead(301, { location: `${url}/` }).end('moved');
    });
    await using client = clientOf(server.url);
    for (let call = 0; call < 5; call += 1) await client.broker.runs(QUERY).catch(() => undefined);
    expect(server.seen).toHaveLength(10);
    // Undici may open a second one before the first answer's end has freed the first.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('that the server closed while idle are replaced', async () => {
    await using server = await httpServer((_, res, count) => {
      json(res, []);
      if (count === 1) res.on('finish', () => res.socket?.end());
    });
    await using client = clientOf(server.url);
    await client.broker.runs(QUERY);
    await expect
      .poll(async () => (await client.broker.runs(QUERY).catch(() => undefined))?.unchanged)
      .toBe(false);
    expect(server.connections()).toBe(2);
  });

  test('are at most 32 for many calls at once', async () => {
    await using server = await httpServer((_, res) => void delay(5).then(() => json(res, [])));
    await using client = clientOf(server.url);
    await Promise.all(Array.from({ length: 200 }, () => client.broker.runs(QUERY)));
    expect(server.connections()).toBeLessThanOrEqual(32);
  });

  test('carry the token and ask for JSON in every request', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url);
    await client.broker.gpus(never);
    const { headers } = server.seen[0] ?? {};
    expect(headers?.authorization).toBe(`Token ${TOKEN}`);
    expect(headers?.accept).toBe('application/json');
    expect(headers?.['accept-encoding']).toBeUndefined();
  });

  test('use the path of the base URL without its trailing slashes', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(`${server.url}/market//`);
    await client.broker.gpus(never);
    expect(server.seen[0]?.url).toBe('/market/api/v1/gpus/');
  });
});

describe('redirects', () => {
  for (const status of [301, 302, 307, 308]) {
    test(`keep method, query and body for a ${status} that adds or removes a slash`, async () => {
      await using server = await httpServer(({ method, url }, res, count) => {
        const [path = '', query] = url.split('?');
        const moved = `${path.endsWith('/') ? path.slice(0, -1) : `${path}/`}${query === undefined ? '' : `?${query}`}`;
        if (count % 2 === 1) res.writeHead(status, { location: moved }).end();
        else if (method === 'GET') json(res, []);
        else json(res, method === 'PATCH' ? jobResource() : instanceResource({ type: 1, gpu: null }));
      });
      await using client = clientOf(server.url);
      await client.broker.runs(QUERY);
      expect(await client.broker.claim('job-1', 'inst-1', never)).toMatchObject({ kind: 'claimed' });
      expect(await client.broker.createInstance(PLAN, never)).toMatchObject({ kind: 'cpu' });
      expect(server.seen.map(({ body, method, url }) => [method, url, body])).toEqual([
        ['GET', '/api/v1/runs?instance=inst-1', ''],
        ['GET', '/api/v1/runs/?instance=inst-1', ''],
        ['PATCH', '/api/v1/jobs/job-1/', '{"status":2,"instance":"inst-1"}'],
        ['PATCH', '/api/v1/jobs/job-1', '{"status":2,"instance":"inst-1"}'],
        ['POST', '/api/v1/instances/', expect.stringContaining('"ask_price":0.01')],
        ['POST', '/api/v1/instances', expect.stringContaining('"ask_price":0.01')],
      ]);
      expect(server.seen.every(({ headers }) => headers.authorization === `Token ${TOKEN}`)).toBe(true);
    });
  }

  test('to a login page are not followed for a report', async () => {
    await using server = await httpServer(({ url }, res) => {
      if (url.startsWith('/login')) json(res, {});
      else res.writeHead(302, { location: '/login/?next=/api' }).end();
    });
    await using client = clientOf(server.url);
    const report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '' } as const;
    await expect(client.broker.report('job-1', 'inst-1', report, never)).rejects.toMatchObject({
      code: 'BROKER_BAD_ANSWER',
    });
    expect(server.seen).toHaveLength(1);
  });

  test('to another origin are not followed', async () => {
    await using elsewhere = await httpServer((_, res) => json(res, []));
    await using server = await httpServer((_, res) =>
      res.writeHead(307, { location: `${elsewhere.url}/api/v1/runs` }).end(),
    );
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({
      code: 'BROKER_REDIRECTED_AWAY',
    });
    expect(elsewhere.connections()).toBe(0);
  });

  test('to https have a hint with the new URL', async () => {
    await using server = await httpServer((_, res) =>
      res.writeHead(301, { location: 'https://127.0.0.1/api/v1/runs' }).end(),
    );
    await using client = clientOf(server.url);
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_REDIRECTED_AWAY');
    expect(error.hint).toContain('https://127.0.0.1');
  });

  test.each([[undefined], ['http://[']])('to %s are BROKER_BAD_ANSWER', async (location) => {
    await using server = await httpServer((_, res) =>
      res.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
  });

  test('in a circle are BROKER_BAD_ANSWER after five', async () => {
    await using server = await httpServer(({ url }, res) => res.writeHead(302, { location: url }).end());
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
    expect(server.seen).toHaveLength(6);
  });
});
