import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { type CaSettings, loadTrustedCas } from '../../../src/http-client/ca-certificates.ts';
import { clientOf, failure, never } from '../../support/broker-client/client.ts';
import { httpServer, httpsServer, json, tcpServer } from '../../support/faults/server.ts';
import { CertificateAuthority } from '../../support/tls-certificates.ts';

const NONE: CaSettings = { sslCertFile: undefined, sslCertDir: undefined, nodeExtraCaCerts: undefined };
const directory = mkdtempSync(join(tmpdir(), 'tls-'));
const at = (name: string): string => join(directory, name);
const ca = new CertificateAuthority();
const other = new CertificateAuthority('Another CA');
afterAll(() => {
  ca[Symbol.dispose]();
  other[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

mkdirSync(at('authorities'));
writeFileSync(at('authorities/private.pem'), `Private CA\n${ca.pem}`);
writeFileSync(at('junk.pem'), 'junk\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
writeFileSync(at('empty.pem'), '');
writeFileSync(at('huge.pem'), Buffer.alloc(17 * 1024 * 1024, 'x'));
execFileSync('mkfifo', [at('pipe.pem')]);

/** What a call to a broker with this certificate ends with. */
async function call(settings: Partial<CaSettings>, names = 'IP:127.0.0.1', days?: number) {
  await using broker = await httpsServer((_, response) => json(response, []), ca.issue(names, days));
  const { secureContext } = loadTrustedCas({ ...NONE, ...settings });
  await using client = clientOf(broker.url, {}, { secureContext });
  const answer = client.broker.gpus(never);
  return await answer.then(
    () => 'answered' as const,
    () => failure(answer),
  );
}

describe('a broker with a private certificate authority is reached', () => {
  test.each([
    ['SSL_CERT_FILE', { sslCertFile: ca.file }],
    ['SSL_CERT_DIR', { sslCertDir: `/nonexistent:${at('authorities')}` }],
    ['NODE_EXTRA_CA_CERTS', { nodeExtraCaCerts: ca.file }],
  ])('with its certificate in %s', async (_, settings) => {
    expect(await call(settings)).toBe('answered');
  });

  test('and public authorities stay trusted', () => {
    const { sources } = loadTrustedCas({ ...NONE, sslCertFile: ca.file });
    expect(sources[0]?.count).toBeGreaterThanOrEqual(getCACertificates('bundled').length);
  });

  test('and no certificate counts twice', () => {
    const again = loadTrustedCas({ ...NONE, sslCertFile: ca.file, nodeExtraCaCerts: ca.file });
    expect(again.sources.find(({ from }) => from.startsWith('SSL_CERT_FILE'))?.count).toBe(0);
  });
});

describe('a TLS failure is named with its way out:', () => {
  test.each([
    ['an unknown authority', {}, 'IP:127.0.0.1', 2, /UNABLE_TO|SELF_SIGNED/, /SSL_CERT_FILE/],
    ['another authority', { sslCertFile: other.file }, 'IP:127.0.0.1', 2, /UNABLE_TO/, /SSL_CERT_FILE/],
    ['an expired certificate', { sslCertFile: ca.file }, 'IP:127.0.0.1', -1, /EXPIRED/, /clock/],
    ['another host', { sslCertFile: ca.file }, 'DNS:other.example', 2, /ALTNAME/, /host name/],
  ] as const)('%s', async (_, settings, names, days, message, hint) => {
    const error = await call(settings, names, days);
    expect(error).toMatchObject({ code: 'BROKER_UNREACHABLE' });
    if (error === 'answered') return;
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('a self-signed certificate', async () => {
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=broker'].concat(
        '-keyout',
        at('self.key'),
        '-out',
        at('self.pem'),
        '-addext',
        'subjectAltName=IP:127.0.0.1',
      ),
      { stdio: 'pipe' },
    );
    const read = (name: string): string => execFileSync('cat', [at(name)], { encoding: 'utf8' });
    await using broker = await httpsServer((_, response) => json(response, []), {
      key: read('self.key'),
      cert: read('self.pem'),
    });
    await using client = clientOf(broker.url, {}, loadTrustedCas(NONE));
    const error = await failure(client.broker.gpus(never));
    expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(error.hint).toContain('SSL_CERT_FILE');
    await using trusting = clientOf(broker.url, {}, loadTrustedCas({ ...NONE, sslCertFile: at('self.pem') }));
    await trusting.broker.gpus(never);
  });

  test('a server without TLS', async () => {
    await using broker = await httpServer((_, response) => json(response, []));
    await using client = clientOf(broker.url.replace('http:', 'https:'), {}, loadTrustedCas(NONE));
    expect((await failure(client.broker.gpus(never))).hint).toContain('http://');
  });

  test('a server that closes during the handshake', async () => {
    await using broker = await tcpServer((socket) => void socket.once('data', () => socket.end()));
    await using client = clientOf(broker.url.replace('http:', 'https:'), {}, loadTrustedCas(NONE));
    expect((await failure(client.broker.gpus(never))).code).toBe('BROKER_UNREACHABLE');
  });
});

describe('what the owner names and cannot be used is a problem, and the others stay trusted:', () => {
  test.each(['/nonexistent/ca.pem', at('authorities'), at('junk.pem'), at('empty.pem'), at('huge.pem')])(
    'the file %s',
    (file) => {
      const { problems, sources } = loadTrustedCas({ ...NONE, sslCertFile: file });
      expect(problems).toHaveLength(1);
      expect(problems[0]?.what).toContain(file);
      expect(sources[0]?.count).toBeGreaterThan(100);
    },
  );

  test('a pipe, without waiting for its writer', () => {
    expect(loadTrustedCas({ ...NONE, sslCertFile: at('pipe.pem') }).problems).toHaveLength(1);
  });

  test.each(['/nonexistent', at('junk.pem')])('the directory %s', (sslCertDir) => {
    expect(loadTrustedCas({ ...NONE, sslCertDir }).problems).toHaveLength(1);
  });
});
