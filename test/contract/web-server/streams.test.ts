import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { type Route, route } from '../../../src/control-api/route.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { http } from '../../../src/lib/http.ts';
import { LIMITS } from '../../../src/limits.ts';
import { headersOf, TestPage } from '../../support/web-server/test-page.ts';

const ANY = z.looseObject({});
type Item = Record<string, unknown>;
const LARGE = 'x'.repeat(10_000);

/** Routes of a test that counts what it is asked for, and whose readers have gone. */
function streaming() {
  const seen = { items: 0, ended: 0 };
  async function* events(since: string | null, signal: AbortSignal, item: Item): AsyncGenerator<Item, void> {
    const gone = once(signal, 'abort');
    try {
      yield { seq: Number(since) + 1, ...item };
      seen.items += 1;
      await gone;
    } finally {
      seen.ended += 1;
    }
  }
  async function* output(): AsyncGenerator<Item, void> {
    for (let seq = 1; ; seq += 1) {
      seen.items += 1;
      yield { seq, text: LARGE };
    }
  }
  async function* market(): AsyncGenerator<Item, void> {
    yield { first: true };
    throw new AgentError('JOB_UNKNOWN', 'no such job');
  }
  const routes: readonly Route[] = [
    route({ ...ENDPOINTS.events, answer: ANY }, ({ query, signal }) =>
      events(query.get('since'), signal, {}),
    ),
    route({ ...ENDPOINTS.output, answer: ANY }, output),
    route({ ...ENDPOINTS.market, answer: ANY }, market),
  ];
  return { seen, routes };
}

type Opened = { readonly response: IncomingMessage; readonly end: () => void };

async function openStream(page: TestPage, path: string, headers: Record<string, string>): Promise<Opened> {
  const request = http.get({ host: '127.0.0.1', port: page.port, path, headers, agent: false });
  request.on('error', () => undefined);
  onTestFinished(() => void request.destroy());
  const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
  request.once('response', resolve);
  const response = await promise;
  response.on('error', () => undefined);
  return { response, end: () => request.destroy() };
}

/** What comes until a pattern has come, or the end. */
async function textUntil(response: IncomingMessage, pattern: RegExp): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  const { promise, resolve } = Promise.withResolvers<void>();
  response.on('data', (chunk: string) => {
    text += chunk;
    if (pattern.test(text)) resolve();
  });
  response.once('close', resolve);
  await promise;
  return text;
}

test('a stream is server-sent events, each named by its seq, and nothing on the way holds them back', async () => {
  const { routes, seen } = streaming();
  const page = await TestPage.open({ routes });
  const headers = headersOf(await page.signIn());
  const { end, response } = await openStream(page, '/api/events', headers);
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const text = await textUntil(response, /data: .*\n\n/);
  expect(text).toMatch(/^retry: \d+\n\n/);
  expect(text).toContain('id: 1\ndata: {"seq":1}\n\n');
  end();
  await expect.poll(() => seen.ended).toBe(1);
});

test('an EventSource that was cut off goes on behind the last event that it got', async () => {
  const { routes } = streaming();
  const page = await TestPage.open({ routes });
  const { cookie, key } = await page.signIn();
  const { response } = await openStream(page, `/api/events?since=3&key=${key}`, {
    cookie,
    'last-event-id': '41',
  });
  expect(await textUntil(response, /id: /)).toContain('id: 42\n');
});

test('a stream that fails says so by an event, and one without a session is none', async () => {
  const { routes } = streaming();
  const page = await TestPage.open({ routes });
  const headers = headersOf(await page.signIn());
  const { response } = await openStream(page, '/api/market', headers);
  expect(await textUntil(response, /failure/)).toMatch(
    /event: failure\ndata: \{.*"code":"JOB_UNKNOWN".*\}\n\n$/,
  );
  const { response: refused } = await openStream(page, '/api/events', {});
  expect(refused.statusCode).toBe(401);
});

test('a reader that takes nothing is waited for, and what it does not take is not made', async () => {
  const { routes, seen } = streaming();
  const page = await TestPage.open({ routes });
  const { response } = await openStream(page, '/api/output/x', headersOf(await page.signIn()));
  response.pause();
  let before = -1;
  await expect
    .poll(
      () => {
        const isStill = before === seen.items;
        before = seen.items;
        return isStill;
      },
      { interval: 200 },
    )
    .toBe(true);
  // What fits into the buffers of the kernel, some megabytes.
  expect(seen.items * LARGE.length).toBeLessThan(32 * 1024 * 1024);
  expect(await page.ask('GET', '/healthz')).toMatchObject({ status: 200 });
});

test('a stream ends with its session, and that of another session goes on', async () => {
  const { routes, seen } = streaming();
  const page = await TestPage.open({ routes });
  const mine = headersOf(await page.signIn());
  const other = headersOf(await page.signIn());
  const { response } = await openStream(page, '/api/events', mine);
  const { response: kept } = await openStream(page, '/api/events', other);
  const ended = textUntil(response, /never/);
  await page.ask('DELETE', '/session', { headers: mine });
  await ended;
  expect(seen.ended).toBe(1);
  const all = textUntil(kept, /never/);
  await page.signOutAll();
  await all;
});

test('one stream too many is refused, and a place is free again when one ends', async () => {
  const { routes } = streaming();
  const page = await TestPage.open({ routes });
  const headers = headersOf(await page.signIn());
  const opened = await Promise.all(
    Array.from({ length: LIMITS.page.streams.max }, () => openStream(page, '/api/events', headers)),
  );
  const status = async () => {
    const { end, response } = await openStream(page, '/api/events', headers);
    end();
    return response.statusCode;
  };
  expect(await status()).toBe(503);
  opened[0]?.end();
  await expect.poll(status).toBe(200);
});
