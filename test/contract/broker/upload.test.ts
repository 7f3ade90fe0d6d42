import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Report } from '../../../src/domain/job.ts';
import { clientOf, failure, never } from '../../support/broker-client/client.ts';
import { httpServer, json, unreadServer } from '../../support/faults/server.ts';

const MIB = 1024 * 1024;
const COST = { kind: 'taken', cost: 1 };
const reportOf = (bytes: number): Report => ({
  status: 3,
  buildLogs: '',
  stdout: '',
  stderr: '',
  result: 'x'.repeat(bytes),
});

test('a report on a slow line is not aborted while it moves', async () => {
  let bytes = 0;
  await using server = await unreadServer(async (request, response) => {
    for await (const chunk of request.setEncoding('latin1')) {
      bytes += String(chunk).length;
      await delay(2);
    }
    json(response, { cost: 1 });
  });
  // The limits cover only the few MiB that the buffers of a loopback connection may contain.
  await using client = clientOf(server.url, { headersMs: 100, callMs: 200, bytesPerS: 4 * MIB });
  const began = performance.now();
  expect(await client.broker.report('job-1', 'inst-1', reportOf(48 * MIB), never)).toEqual(COST);
  expect(bytes).toBeGreaterThan(48 * MIB);
  expect(performance.now() - began).toBeGreaterThan(1_000);
}, 30_000);

test.each([
  ['stops reading a report', (request: IncomingMessage) => once(request, 'readable')],
  ['reads all of a report and does not answer', (request: IncomingMessage) => once(request.resume(), 'end')],
])(
  'a peer that %s is BROKER_UNREACHABLE',
  async (_, take) => {
    await using server = await unreadServer(take);
    await using client = clientOf(server.url, { headersMs: 100, bytesPerS: 20 * MIB });
    const error = await failure(client.broker.report('job-1', 'inst-1', reportOf(16 * MIB), never));
    expect(error.code).toBe('BROKER_UNREACHABLE');
  },
  10_000,
);

test('a peer that reads a report too slowly is given up after the limit of the call', async () => {
  await using server = await unreadServer(async (request) => {
    for await (const _ of request) await delay(20);
  });
  await using client = clientOf(server.url, { callMs: 100, bytesPerS: 64 * MIB });
  const error = await failure(client.broker.report('job-1', 'inst-1', reportOf(32 * MIB), never));
  expect(error.message).toMatch(/0\.6\d* s/);
}, 10_000);

test.each([1_000, 3 * MIB])('a report of %i bytes arrives complete, with a content-length', async (bytes) => {
  await using server = await httpServer((_, response) => json(response, { cost: 1 }));
  await using client = clientOf(server.url);
  const report = { ...reportOf(bytes), stdout: 'é\n' };
  for (let nth = 0; nth < 3; nth += 1) {
    expect(await client.broker.report('job-1', 'inst-1', report, never)).toEqual(COST);
  }
  const { body = '', headers } = server.seen[2] ?? {};
  expect(JSON.parse(body)).toMatchObject({ stdout: 'é\n', result: report.result });
  expect(headers?.['content-length']).toBe(String(Buffer.byteLength(body)));
  expect(headers?.['transfer-encoding']).toBeUndefined();
  // Undici may open a second one before the first answer's end has freed the first.
  expect(server.connections()).toBeLessThanOrEqual(2);
});

test('a long report that is redirected is sent again from the start', async () => {
  await using server = await httpServer(({ url }, response, count) => {
    if (count === 1) response.writeHead(308, { location: url.slice(0, -1) }).end();
    else json(response, { cost: 1 });
  });
  await using client = clientOf(server.url);
  expect(await client.broker.report('job-1', 'inst-1', reportOf(3 * MIB), never)).toEqual(COST);
  expect(server.seen[1]?.body).toHaveLength(server.seen[0]?.body.length ?? 0);
});

test('a refusal that comes before the report is sent completely is read', async () => {
  await using server = await unreadServer(async (request, response) => {
    json(response, { detail: 'too long' }, 413);
    await once(request.resume(), 'end');
  });
  await using client = clientOf(server.url);
  const error = await failure(client.broker.report('job-1', 'inst-1', reportOf(32 * MIB), never));
  expect(error).toMatchObject({ code: 'BROKER_REFUSED', status: 413 });
});

test('a signal aborts a report that is being sent', async () => {
  const end = new AbortController();
  await using server = await unreadServer(async (request) => {
    await once(request, 'readable');
    end.abort();
  });
  await using client = clientOf(server.url);
  await expect(client.broker.report('job-1', 'inst-1', reportOf(32 * MIB), end.signal)).rejects.toMatchObject(
    { code: 'BROKER_UNREACHABLE' },
  );
});
