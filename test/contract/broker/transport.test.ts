import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  clientOf,
  failure,
  httpServer,
  json,
  never,
  TOKEN,
  tcpServer,
} from '../../support/broker-client/hostile-server.ts';
import { instanceResource, jobResource } from '../../support/broker-client/resources.ts';

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

describe('deadlines', () => {
  test('a server that takes the connection and says nothing', async () => {
    await using server = await tcpServer(() => {});
    await using client = clientOf(server.url, { headersMs: 100 });
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toBe('GET /api/v1/runs: no answer in time');
    expect(error.hint).toContain('does not answer');
  });

  test('a body that stops midway', async () => {
    await using server = await httpServer((_, res) => void res.writeHead(200).write('[{"uuid"'));
    await using client = clientOf(server.url, { bodyIdleMs: 100 });
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toBe('GET /api/v1/runs: the answer stopped midway');
    expect(error.hint).toContain('cut connections');
  });

  test('a body that drips for ever', async () => {
    await using server = await httpServer((_, res) => {
      res.writeHead(200);
      const drip = setInterval(() => res.write(' '), 20);
      res.on('close', () => clearInterval(drip));
    });
    await using client = clientOf(server.url, { callMs: 200 });
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toContain('not over after 0.2 s');
    expect(error.hint).toBeDefined();
  });

  test('a body without end', async () => {
    await using server = await httpServer((_, res) => {
      res.writeHead(200);
      const pour = (): void => {
        while (!res.destroyed && res.write('x'.repeat(65_536)));
      };
      res.on('drain', pour);
      pour();
    });
    await using client = clientOf(server.url, { bodyBytes: 1_000_000 });
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({
      code: 'BROKER_BAD_ANSWER',
      message: 'GET /api/v1/runs: the broker’s answer is too large',
    });
  });

  test('headers without end', async () => {
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

  test('something that does not speak HTTP', async () => {
    await using server = await tcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await using client = clientOf(server.url);
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.hint).toContain('does not speak HTTP');
  });

  test('nothing listens', async () => {
    const url = await (async () => {
      await using server = await tcpServer(() => {});
      return server.url;
    })();
    await using client = clientOf(url);
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toBe('GET /api/v1/runs: connection refused, ECONNREFUSED');
    expect(error.hint).toContain('port');
  });

  test('a name that does not exist', async () => {
    await using client = clientOf('http://no-such-host.invalid');
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.hint).toContain('DNS');
  });

  test('https where there is only http', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url.replace('http:', 'https:'));
    const error = await failure(client.broker.runs(QUERY));
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.hint).toContain('may be http');
  });

  test('a held poll has its wait on top', async () => {
    await using server = await httpServer((_, res) => {
      setTimeout(() => json(res, [], 200, { 'preference-applied': 'wait=1' }), 400);
    });
    await using client = clientOf(server.url, { headersMs: 100, callMs: 200 });
    const answer = await client.broker.runs({ ...QUERY, waitSeconds: 1 });
    expect(answer.waited).toBe(true);
  });

  test('a signal ends a held poll at once', async () => {
    await using server = await tcpServer(() => {});
    await using client = clientOf(server.url);
    const controller = new AbortController();
    const poll = client.broker.runs({ ...QUERY, waitSeconds: 25, signal: controller.signal });
    await server.connected;
    controller.abort();
    await expect(poll).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  });

  test('a signal that has aborted before asks nothing', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url);
    await expect(client.broker.runs({ ...QUERY, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
    });
    expect(server.seen).toHaveLength(0);
  });
});

describe('connections', () => {
  test('calls one after the other share their connection', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url);
    for (let call = 0; call < 20; call += 1) await client.broker.runs(QUERY);
    expect(server.seen).toHaveLength(20);
    // Undici may open a second one before the first answer's end has freed the first.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('refusals and redirects do not cost the connection', async () => {
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

  test('a connection that the server closed while it was idle is replaced', async () => {
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

  test('many calls at once take no more than 32 connections, and all are answered', async () => {
    await using server = await httpServer((_, res) => void delay(5).then(() => json(res, [])));
    await using client = clientOf(server.url);
    await Promise.all(Array.from({ length: 200 }, () => client.broker.runs(QUERY)));
    expect(server.connections()).toBeLessThanOrEqual(32);
  });

  test('every request carries the token and asks for JSON', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(server.url);
    await client.broker.gpus(never);
    const { headers } = server.seen[0] ?? {};
    expect(headers?.authorization).toBe(`Token ${TOKEN}`);
    expect(headers?.accept).toBe('application/json');
    expect(headers?.['accept-encoding']).toBeUndefined();
  });

  test('the base URL may have a path, and slashes at its end', async () => {
    await using server = await httpServer((_, res) => json(res, []));
    await using client = clientOf(`${server.url}/market//`);
    await client.broker.gpus(never);
    expect(server.seen[0]?.url).toBe('/market/api/v1/gpus/');
  });
});

describe('redirects', () => {
  for (const status of [301, 302, 307, 308]) {
    test(`a ${status} that adds or takes the slash keeps method, query and body`, async () => {
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

  test('a 302 to a login page is no answer to a report, whatever the page says', async () => {
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

  test('another origin never hears of us', async () => {
    await using elsewhere = await httpServer((_, res) => json(res, []));
    await using server = await httpServer((_, res) =>
      res.writeHead(307, { location: `${elsewhere.url}/api/v1/runs` }).end(),
    );
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({
      code: 'BROKER_REDIRECTED_AWAY',
      message: `the broker at ${server.url} points to ${elsewhere.url}`,
    });
    expect(elsewhere.connections()).toBe(0);
  });

  test('a move to https says how to hint it', async () => {
    await using server = await httpServer((_, res) =>
      res.writeHead(301, { location: 'https://127.0.0.1/api/v1/runs' }).end(),
    );
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({
      code: 'BROKER_REDIRECTED_AWAY',
      hint: 'set the broker’s URL to https://127.0.0.1',
    });
  });

  test.each([[undefined], ['http://[']])('a redirect to %s is a bad answer', async (location) => {
    await using server = await httpServer((_, res) =>
      res.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
  });

  test('a circle ends', async () => {
    await using server = await httpServer(({ url }, res) => res.writeHead(302, { location: url }).end());
    await using client = clientOf(server.url);
    await expect(client.broker.runs(QUERY)).rejects.toMatchObject({ code: 'BROKER_BAD_ANSWER' });
    expect(server.seen).toHaveLength(6);
  });
});
