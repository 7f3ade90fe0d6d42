import { chmodSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { commandPrices, type PriceText, urlPrices } from '../../../src/tariff/sources.ts';
import { freePort } from '../../support/faults/listen.ts';
import { httpServer } from '../../support/faults/server.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

const DIRECT = {
  httpProxy: undefined,
  httpsProxy: undefined,
  noProxy: [],
  sslCertFile: undefined,
  sslCertDir: undefined,
  nodeExtraCaCerts: undefined,
};
const PRICES = '[{"from":"2026-11-27T00:00:00Z","pricePerKWh":0.3}]';
const FAILED = { code: 'ELECTRICITY_PRICES_FAILED', hint: expect.any(String) as unknown };
const SECRET = 'a-key-of-the-test';
const never = new AbortController().signal;

const read = (source: PriceText) => source.read(never);

function program(text: string, mode = 0o755): string {
  const path = join(scratchDir(), 'prices');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('a URL', () => {
  test('is asked with its path and query, and its answer is returned', async () => {
    await using server = await httpServer((_, response) => void response.writeHead(200).end(PRICES));
    expect(await read(urlPrices(`${server.url}/v1/prices?key=${SECRET}`, DIRECT))).toBe(PRICES);
    expect(server.seen).toMatchObject([{ method: 'GET', url: `/v1/prices?key=${SECRET}` }]);
  });

  test('is asked through a proxy, with the URL whole', async () => {
    await using proxy = await httpServer((_, response) => void response.writeHead(200).end(PRICES));
    const httpProxy = proxy.url.replace('http://', 'http://ada:word@');
    expect(await read(urlPrices('http://prices.test/now?a=b', { ...DIRECT, httpProxy }))).toBe(PRICES);
    expect(proxy.seen).toMatchObject([
      {
        url: 'http://prices.test/now?a=b',
        headers: {
          host: 'prices.test',
          'proxy-authorization': `Basic ${Buffer.from('ada:word').toString('base64')}`,
        },
      },
    ]);
  });

  test.each([204, 302, 304, 401, 404, 500, 503])('that answers with %d has no prices', async (status) => {
    await using other = await httpServer((_, response) => void response.writeHead(200).end(PRICES));
    await using server = await httpServer(
      (_, response) => void response.writeHead(status, { location: `${other.url}/` }).end(),
    );
    await expect(read(urlPrices(server.url, DIRECT))).rejects.toMatchObject(FAILED);
    expect(other.seen).toEqual([]);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['says nothing', () => undefined],
    ['does not end', (response) => void response.writeHead(200).write('[')],
    [
      'breaks off',
      (response) => {
        response.writeHead(200, { 'content-length': 1_000 });
        response.write('[', () => response.destroy());
      },
    ],
    ['is huge', (response) => void response.writeHead(200).end(' '.repeat(LIMITS.tariff.answer.max + 1))],
  ])('whose answer %s fails', async (_, answer) => {
    await using server = await httpServer((__, response) => answer(response));
    await expect(read(urlPrices(server.url, DIRECT, 500))).rejects.toMatchObject(FAILED);
  });

  test('where nobody answers fails', async () => {
    await expect(read(urlPrices(`http://127.0.0.1:${await freePort()}`, DIRECT))).rejects.toMatchObject(
      FAILED,
    );
  });

  test('stays unknown to those who read the log or the state directory', async () => {
    await using server = await httpServer((_, response) => void response.writeHead(500).end());
    const source = urlPrices(`${server.url}/${SECRET}`, DIRECT);
    const thrown: unknown = await read(source).catch((error: unknown) => error);
    expect(`${source.name} ${source.key} ${String(thrown)}`).not.toContain(SECRET);
    expect(source.key).not.toBe(urlPrices(`${server.url}/another`, DIRECT).key);
  });

  test('is given up when the agent ends', async () => {
    await using server = await httpServer(() => undefined);
    const end = new AbortController();
    const reading = urlPrices(server.url, DIRECT).read(end.signal);
    await server.connected;
    end.abort();
    await expect(reading).rejects.toMatchObject(FAILED);
  });
});

describe('a program', () => {
  test('prints prices, and gets no variable but PATH', async () => {
    const path = program(`#!/bin/sh\n[ -z "$HOME$SHAREDCLOUD_TOKEN" ] && echo '${PRICES}'\n`);
    expect((await read(commandPrices(path))).trim()).toBe(PRICES);
  });

  test('that leaves another with its output has answered', async () => {
    const path = program(`#!/bin/sh\nsleep 5 &\necho '${PRICES}'\n`);
    expect((await read(commandPrices(path, 4_000))).trim()).toBe(PRICES);
  });

  test.each([
    ['hangs', '#!/bin/sh\nexec sleep 30\n'],
    ['prints without end', '#!/bin/sh\nexec cat /dev/zero\n'],
    ['ends with an error', '#!/bin/sh\necho "no key" >&2\nexit 1\n'],
    ['is killed', '#!/bin/sh\nkill -9 $$\n'],
    ['has no interpreter', '#!/no/such/shell\n'],
  ])('that %s fails', async (_, text) => {
    await expect(read(commandPrices(program(text), 1_000))).rejects.toMatchObject(FAILED);
  });

  test('that says why it fails is quoted, on one line', async () => {
    const path = program('#!/bin/sh\nprintf "no \\033[1mkey\\nmore" >&2\nexit 3\n');
    const thrown: unknown = await read(commandPrices(path)).catch((error: unknown) => error);
    expect(String(thrown)).toContain('key');
    expect(String(thrown)).not.toContain('more');
    expect(String(thrown)).not.toContain('\u001B');
  });

  test('that is not there or not executable fails', async () => {
    await expect(read(commandPrices('/no/such/program'))).rejects.toMatchObject(FAILED);
    await expect(read(commandPrices('no-such-program'))).rejects.toMatchObject(FAILED);
    await expect(read(commandPrices(program(`echo '${PRICES}'`, 0o644)))).rejects.toMatchObject(FAILED);
  });
});
