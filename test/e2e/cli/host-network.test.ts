import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { lineOf, readChecked } from '../../support/cli/checked.ts';
import { engineStandIn } from '../../support/cli/engine-stand-in.ts';
import { runProcess } from '../../support/cli/process.ts';
import { FewInodes, whyNot } from '../../support/disk/disks.ts';
import { httpServer, httpsServer, json } from '../../support/faults/server.ts';
import { PROXIES, startProxy } from '../../support/proxy/proxies.ts';
import { CertificateAuthority } from '../../support/tls-certificates.ts';

const MAIN = resolve(import.meta.dirname, '../../../src/main.ts');
const PASSWORD = 'proxy-passw0rd';
const directory = mkdtempSync(join(tmpdir(), 'host-network-'));
const config = join(directory, 'config.toml');
writeFileSync(config, '');
afterAll(() => rmSync(directory, { recursive: true }));

const bare = {
  SHAREDCLOUD_CONFIG: config,
  SHAREDCLOUD_STATE_DIR: join(directory, 'state'),
  SHAREDCLOUD_NVIDIA_SMI: join(directory, 'no-nvidia-smi'),
  SHAREDCLOUD_TOKEN: 'tok-5ecret-0123456789abcdef',
  SHAREDCLOUD_MIN_FREE_DISK: '0 B',
  DOCKER_HOST: `unix://${join(directory, 'no-docker.sock')}`,
};

async function check(env: Readonly<Record<string, string>>) {
  const { stderr, stdout } = await runProcess(['check', '--json'], { ...bare, ...env });
  return { line: (name: string) => lineOf(readChecked(stdout), name), output: `${stdout}${stderr}` };
}

/** An address of this machine that is not of the loopback, as a URL has it. */
const elsewhere = (url: string): string => url.replace('127.0.0.1', '0.0.0.0');
const withUser = (url: string): string => url.replace('://', `://me:${PASSWORD}@`);

describe.skipIf(!PROXIES.includes('tinyproxy'))('check and a proxy (needs tinyproxy)', () => {
  test.each(['http_proxy', 'HTTP_PROXY'])('%s is used and shown without its password', async (variable) => {
    await using broker = await httpServer((_, response) => json(response, []));
    await using proxy = await startProxy('tinyproxy', { user: 'me', password: PASSWORD });
    const url = elsewhere(broker.url);
    const checked = await check({ SHAREDCLOUD_BROKER_URL: url, [variable]: withUser(proxy.url) });
    expect(checked.line('proxy')).toContain(`ok: ${proxy.url} (http-proxy)`);
    expect(checked.line('broker')).toContain(url);
    expect(broker.seen.length).toBeGreaterThan(0);
    expect(proxy.log()).toContain(url);
    expect(checked.output).not.toContain(PASSWORD);
  });

  test('lower case goes first, and an empty variable counts as unset', async () => {
    await using broker = await httpServer((_, response) => json(response, []));
    await using proxy = await startProxy('tinyproxy');
    const env = { SHAREDCLOUD_BROKER_URL: elsewhere(broker.url), HTTP_PROXY: 'http://127.0.0.1:1' };
    const both = await check({ ...env, http_proxy: proxy.url });
    expect(both.line('proxy')).toContain(`ok: ${proxy.url}`);
    expect((await check({ ...env, http_proxy: '' })).line('proxy')).toContain('127.0.0.1:1 ');
  });

  test('a broker on the loopback, or listed in NO_PROXY, is reached directly', async () => {
    await using broker = await httpServer((_, response) => json(response, []));
    const env = { HTTP_PROXY: 'http://127.0.0.1:1' };
    const local = await check({ ...env, SHAREDCLOUD_BROKER_URL: broker.url });
    const listed = await check({
      ...env,
      SHAREDCLOUD_BROKER_URL: elsewhere(broker.url),
      no_proxy: 'example.com, 0.0.0.0/8',
    });
    for (const checked of [local, listed]) expect(checked.line('broker')).toMatch(/^warn: http/);
    expect(broker.seen.length).toBeGreaterThan(2);
  });

  test('a proxy that does not work is named, with its own hint', async () => {
    const checked = await check({
      SHAREDCLOUD_BROKER_URL: 'http://broker.example',
      HTTP_PROXY: withUser('http://127.0.0.1:1'),
    });
    expect(checked.line('broker')).toMatch(/^fail: .*the proxy http:\/\/127\.0\.0\.1:1 .*-> .*http-proxy/);
    expect(checked.output).not.toContain(PASSWORD);
  });

  test('a SOCKS proxy is refused by check and start, and does not matter to other commands', async () => {
    const env = {
      SHAREDCLOUD_BROKER_URL: 'http://broker.example',
      HTTP_PROXY: `socks5://me:${PASSWORD}@h:1`,
    };
    const checked = await check(env);
    expect(checked.line('proxy')).toMatch(/^fail: .*socks5/);
    const start = await runProcess(['start', '--once', '--ask-price', '1'], { ...bare, ...env });
    expect([start.exit, start.stderr]).toEqual([2, expect.stringContaining('CONFIG_INVALID')]);
    const jobs = await runProcess(['jobs', '--open'], { ...bare, ...env });
    expect(jobs.exit).toBe(0);
    for (const { stderr, stdout } of [start, jobs]) expect(`${stdout}${stderr}`).not.toContain(PASSWORD);
    expect(checked.output).not.toContain(PASSWORD);
  });

  test('Node.js’s own proxy support sends nothing for Docker through it', async () => {
    await using engine = await engineStandIn();
    await using broker = await httpServer((_, response) => json(response, []));
    await using proxy = await startProxy('tinyproxy');
    const checked = await check({
      SHAREDCLOUD_BROKER_URL: elsewhere(broker.url),
      HTTP_PROXY: proxy.url,
      NODE_USE_ENV_PROXY: '1',
      DOCKER_HOST: engine.host,
    });
    expect(checked.line('docker')).toMatch(/^(?:ok|warn): Docker/);
    expect(checked.line('docker proxy')).toMatch(/^warn: /);
    expect(proxy.log()).not.toMatch(/docker|_ping|\/info/);
  });
});

describe('check and certificate authorities', () => {
  test('SSL_CERT_FILE makes a private authority trusted, also if Node.js has read the system’s store itself', async () => {
    using ca = new CertificateAuthority();
    await using broker = await httpsServer((_, response) => json(response, []), ca.issue('IP:127.0.0.1'));
    const env = { SHAREDCLOUD_BROKER_URL: broker.url };
    expect((await check(env)).line('broker')).toMatch(/^fail: .*-> .*SSL_CERT_FILE/);
    const trusted = await check({ ...env, SSL_CERT_FILE: ca.file, NODE_OPTIONS: '--use-system-ca' });
    expect(trusted.line('broker')).toMatch(/^warn: https/);
    expect(trusted.line('certificates')).toContain(ca.file);
    const broken = await check({ ...env, SSL_CERT_FILE: '/nonexistent.pem' });
    expect(broken.output).toContain('/nonexistent.pem cannot be read: ENOENT');
  });

  const isRoot = process.getuid?.() === 0;
  test.skipIf(!isRoot)('the system’s store makes a private authority trusted (needs root)', async () => {
    using ca = new CertificateAuthority();
    await using broker = await httpsServer((_, response) => json(response, []), ca.issue('IP:127.0.0.1'));
    const store = join(directory, 'store');
    mkdirSync(store, { recursive: true });
    // As update-ca-certificates writes it.
    writeFileSync(join(store, 'ca-certificates.crt'), ca.pem);
    const inNamespace = 'mount --bind "$1" /etc/ssl/certs && shift && exec "$@"';
    const { promise, resolve: done } = Promise.withResolvers<string>();

    const child = spawn(
      'unshare',
      ['-m', 'sh', '-c', inNamespace, 'sh', store, process.execPath, MAIN, 'check', '--json'],
      { env: { PATH: process.env['PATH'], ...bare, SHAREDCLOUD_BROKER_URL: broker.url } },
    );
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.on('close', () => done(stdout));
    const checked = readChecked(await promise);
    expect(lineOf(checked, 'broker')).toMatch(/^warn: https/);
    expect(lineOf(checked, 'certificates')).toContain('/etc/ssl/certs/ca-certificates.crt');
  });
});

const noDisk = whyNot(() => new FewInodes());
test.skipIf(noDisk !== undefined)('check fails on a disk without free inodes (needs root)', async () => {
  using disk = new FewInodes();
  const env = {
    SHAREDCLOUD_BROKER_URL: 'http://127.0.0.1:1',
    SHAREDCLOUD_STATE_DIR: join(disk.path, 'state'),
  };
  expect((await check(env)).line('inodes')).toBe('no line named inodes');
  disk.fill();
  expect((await check(env)).line('inodes')).toMatch(/^fail: 0\.0 % .*-> /);
});
