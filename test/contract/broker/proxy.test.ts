import { createSecureContext } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { chooseRoute, type Proxy } from '../../../src/http-client/proxy.ts';
import { clientOf, failure, never, TOKEN } from '../../support/broker-client/client.ts';
import { jobResource } from '../../support/broker-client/resources.ts';
import { httpServer, httpsServer, json, type TestServer, tcpServer } from '../../support/faults/server.ts';
import { PROXIES, type ProxyOptions, startProxy } from '../../support/proxy/proxies.ts';
import { CertificateAuthority } from '../../support/tls-certificates.ts';

const QUERY = { instance: 'inst-1', etag: undefined, waitSeconds: 0, signal: never };
const REPORT = { status: 3, buildLogs: '', stdout: 'x'.repeat(3_000_000), stderr: '', result: '' } as const;
/** Tinyproxy’s file takes no other characters. */
const PASSWORDS = { squid: 'p@ss:w/rd#1', tinyproxy: 'passw0rd-1' } as const;

const ca = new CertificateAuthority();
const certificate = ca.issue('IP:127.0.0.1');
const secureContext = createSecureContext({ ca: [ca.pem] });
afterAll(() => ca[Symbol.dispose]());

/** The proxy as a configuration with this URL means it; brokers of tests are on the loopback, which it would leave out. */
function proxyAt(url: string): Proxy {
  const route = chooseRoute(new URL('https://broker.example'), {
    httpsProxy: url,
    httpProxy: undefined,
    noProxy: [],
  });
  if (route.kind !== 'proxy') throw new Error('no proxy is used');
  return route.proxy;
}

const withCredentials = (url: string, password: string): string =>
  url.replace('://', `://me:${encodeURIComponent(password)}@`);

const answer: Parameters<typeof httpServer>[0] = ({ method }, response) => {
  if (method === 'GET') setTimeout(() => json(response, [], 200, { 'preference-applied': 'wait=25' }), 50);
  else json(response, jobResource({ status: 3 }));
};

/** A broker, over TLS or not. */
const BROKERS: Readonly<Record<'http' | 'https', () => Promise<TestServer>>> = {
  http: () => httpServer(answer),
  https: () => httpsServer(answer, certificate),
};

describe.skipIf(PROXIES.length === 0)('through a real proxy (needs tinyproxy and squid)', () => {
  describe.each(PROXIES)('%s', (program) => {
    const start = (options?: ProxyOptions) => startProxy(program, options);
    const password = PASSWORDS[program];

    test.each(['http', 'https'] as const)(
      'an %s broker gets polls, held polls and reports',
      async (scheme) => {
        await using broker = await BROKERS[scheme]();
        await using proxy = await start();
        await using client = clientOf(broker.url, {}, { proxy: proxyAt(proxy.url), secureContext });
        for (let call = 0; call < 5; call += 1) await client.broker.runs(QUERY);
        expect(await client.broker.runs({ ...QUERY, waitSeconds: 25 })).toMatchObject({ waited: true });
        expect(await client.broker.report('job-1', 'inst-1', REPORT, never)).toMatchObject({
          kind: 'taken',
        });
        expect(broker.seen).toHaveLength(7);
        expect(broker.seen.at(-1)?.body).toContain(REPORT.stdout);
        for (const { headers } of broker.seen) {
          expect(headers.authorization).toBe(`Token ${TOKEN}`);
          expect(headers['proxy-authorization']).toBeUndefined();
          expect(headers.host).toBe(new URL(broker.url).host);
        }
        const { host } = new URL(broker.url);
        await expect
          .poll(() => proxy.log())
          .toContain(scheme === 'https' ? host : `${broker.url}/api/v1/runs`);
        // Of a tunnel the proxy sees neither the path nor the token.
        if (scheme === 'https') {
          expect(proxy.log()).not.toContain('/api/v1');
          expect(broker.connections()).toBeLessThanOrEqual(2);
        }
      },
    );

    test.each(['http', 'https'] as const)(
      'with a user and password, an %s broker is reached',
      async (scheme) => {
        await using broker = await BROKERS[scheme]();
        await using proxy = await start({ user: 'me', password });
        await using client = clientOf(
          broker.url,
          {},
          { proxy: proxyAt(withCredentials(proxy.url, password)), secureContext },
        );
        expect(await client.broker.runs(QUERY)).toMatchObject({ unchanged: false });
      },
    );

    test.each([
      ['http', undefined],
      ['https', undefined],
      ['http', 'wrong-password'],
      ['https', 'wrong-password'],
    ] as const)('without its password, an %s broker is not reached: %s', async (scheme, wrong) => {
      await using broker = await BROKERS[scheme]();
      await using proxy = await start({ user: 'me', password });
      const url = wrong === undefined ? proxy.url : withCredentials(proxy.url, wrong);
      await using client = clientOf(broker.url, {}, { proxy: proxyAt(url), secureContext });
      const error = await failure(client.broker.runs(QUERY));
      expect(error.code).toBe('BROKER_UNREACHABLE');
      for (const part of [proxy.url, broker.url]) expect(error.message).toContain(part);
      // Tinyproxy answers 401 to a wrong password.
      expect(error.message).toMatch(/40[17]/);
      expect(`${error.message}${error.hint}`).not.toContain('wrong-password');
      expect(error.hint).toContain('password');
      expect(broker.seen).toHaveLength(0);
    });

    test.each(['http', 'https'] as const)('that denies an %s broker is named', async (scheme) => {
      await using broker = await BROKERS[scheme]();
      await using proxy = await start({ deny: true });
      await using client = clientOf(broker.url, {}, { proxy: proxyAt(proxy.url), secureContext });
      const error = await failure(client.broker.runs(QUERY));
      expect(error.code).toBe('BROKER_UNREACHABLE');
      for (const part of [proxy.url, broker.url, '403']) expect(error.message).toContain(part);
      expect(error.hint).toContain('no-proxy');
    });

    test.each(['http', 'https'] as const)('that cannot reach an %s broker is named', async (scheme) => {
      const url = await (async () => {
        await using broker = await BROKERS[scheme]();
        return broker.url;
      })();
      await using proxy = await start();
      await using client = clientOf(url, {}, { proxy: proxyAt(proxy.url), secureContext });
      const error = await failure(client.broker.runs(QUERY));
      expect(error.code).toBe('BROKER_UNREACHABLE');
      expect(error.message).toContain(proxy.url);
      expect(error.message).toMatch(/50[0234]/);
      expect(error.hint).toContain('proxy');
    });
  });

  test.runIf(PROXIES.includes('squid')).each(['http', 'https'] as const)(
    'squid over TLS: an %s broker is reached, if the proxy’s certificate is trusted',
    async (scheme) => {
      await using broker = await BROKERS[scheme]();
      await using proxy = await startProxy('squid', { tls: certificate });
      await using client = clientOf(broker.url, {}, { proxy: proxyAt(proxy.url), secureContext });
      expect(await client.broker.runs(QUERY)).toMatchObject({ unchanged: false });
      await using other = clientOf(broker.url, {}, { proxy: proxyAt(proxy.url) });
      const error = await failure(other.broker.runs(QUERY));
      expect(error.message).toContain(proxy.url);
      expect(error.hint).toContain('SSL_CERT_FILE');
    },
  );
});

describe.each(['http', 'https'] as const)('a proxy that is none, before an %s broker:', (scheme) => {
  const broker = `${scheme}://broker.invalid`;
  const errorThrough = async (url: string) => {
    await using client = clientOf(
      broker,
      { connectMs: 500, headersMs: 1500 },
      { proxy: proxyAt(url), secureContext },
    );
    return await failure(client.broker.runs(QUERY));
  };

  test('nothing listens there', async () => {
    const url = await (async () => {
      await using server = await tcpServer(() => {});
      return server.url;
    })();
    const error = await errorThrough(url);
    for (const part of [url, broker, 'ECONNREFUSED']) expect(error.message).toContain(part);
    expect(error.hint).toContain(`${scheme}-proxy`.replace(/^http-/, 'https-'));
  });

  test('its host name does not exist', async () => {
    const error = await errorThrough('http://no-such-proxy.invalid:3128');
    expect(error.message).toContain('no-such-proxy.invalid');
    expect(error.hint).toContain('-proxy');
  });

  test.each([
    ['never answers', () => {}],
    ['speaks another protocol', (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['closes connections', (socket) => void socket.once('data', () => socket.end())],
    ['resets connections', (socket) => void socket.once('data', () => socket.resetAndDestroy())],
  ] satisfies readonly (readonly [string, Parameters<typeof tcpServer>[0]])[])('it %s', async (_, talk) => {
    await using server = await tcpServer(talk);
    const error = await errorThrough(server.url);
    expect(error.code).toBe('BROKER_UNREACHABLE');
    expect(error.message).toContain(server.url);
    expect(error.hint).toContain('proxy');
  });

  test('it is spoken to over TLS and has none', async () => {
    await using server = await httpServer((_, response) => json(response, {}));
    const error = await errorThrough(server.url.replace('http:', 'https:'));
    expect(error.message).toContain(server.url.replace('http:', 'https:'));
    expect(error.hint).toContain('http://');
  });
});

describe('behind a tunnel that is open,', () => {
  const OPEN = 'HTTP/1.1 200 Connection established\r\n\r\n';

  test.each([
    ['nothing answers', () => {}],
    ['something without TLS answers', (socket) => void socket.write('220 mail.example ESMTP\r\n')],
    ['the connection is closed', (socket) => void socket.end()],
    ['the connection is reset', (socket) => void socket.resetAndDestroy()],
  ] satisfies readonly (readonly [string, Parameters<typeof tcpServer>[0]])[])(
    '%s: the call fails in time, and both are named',
    async (_, talk) => {
      await using server = await tcpServer((socket) => {
        // The first data are the CONNECT, the second the client's greeting.
        socket.once('data', () => {
          socket.write(OPEN);
          socket.once('data', () => talk(socket));
        });
      });
      const limits = { connectMs: 500, headersMs: 5000 };
      await using client = clientOf('https://broker.invalid', limits, {
        proxy: proxyAt(server.url),
        secureContext,
      });
      const error = await failure(client.broker.runs(QUERY));
      expect(error.code).toBe('BROKER_UNREACHABLE');
      for (const part of ['https://broker.invalid', server.url]) expect(error.message).toContain(part);
      expect(error.hint).toContain('proxy');
    },
  );
});

test('a call that is aborted while a proxy is silent ends at once, and so does the client', async () => {
  await using server = await tcpServer(() => {});
  await using client = clientOf('https://broker.invalid', {}, { proxy: proxyAt(server.url), secureContext });
  const controller = new AbortController();
  const poll = client.broker.runs({ ...QUERY, signal: controller.signal });
  await server.connected;
  controller.abort();
  await expect(poll).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
});
