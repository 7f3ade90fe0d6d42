import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { close, listen } from '../faults/listen.ts';
import type { ServerCertificate } from '../tls-certificates.ts';

/** A proxy of a test's own on the loopback. */
export type TestProxy = AsyncDisposable & {
  /** Without credentials. */
  readonly url: string;
  /** What it has written about its calls so far. */
  log(): string;
};

/** What a proxy is asked to do. */
export type ProxyOptions = {
  readonly user?: string;
  readonly password?: string;
  /** Nothing may be reached through it. */
  readonly deny?: true;
  /** It is spoken to over TLS; only squid. */
  readonly tls?: ServerCertificate;
};

/** Which proxies are installed here. */
export const PROXIES: readonly ('tinyproxy' | 'squid')[] = (['tinyproxy', 'squid'] as const).filter(
  (program) => spawnSync(program, ['-v']).error === undefined,
);

/** Starts a real proxy of Debian and waits until it accepts connections. */
export async function startProxy(
  program: 'tinyproxy' | 'squid',
  options: ProxyOptions = {},
): Promise<TestProxy> {
  const directory = mkdtempSync(join(tmpdir(), `${program}-`));
  // A free port, which is free again when the proxy takes it.
  const probe = createServer();
  const port = await listen(probe);
  await close(probe);
  const at = (name: string): string => join(directory, name);
  const write = program === 'squid' ? squidConfig : tinyproxyConfig;
  writeFileSync(at('conf'), write(port, at, options));
  const argv = program === 'squid' ? ['-N', '-f', at('conf')] : ['-d', '-c', at('conf')];
  // Squid as root gives up its rights and cannot write here.
  spawnSync('chmod', ['-R', 'a+rwX', directory]);
  const child = spawn(program, argv, { stdio: 'ignore' });
  await vi.waitUntil(() => accepts(port) || child.exitCode !== null, { timeout: 20_000, interval: 50 });
  if (child.exitCode !== null) throw new Error(`${program} ended: ${logOf(at('log'))}`);
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    log: () => logOf(at('log')),
    [Symbol.asyncDispose]: async () => {
      await end(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function accepts(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // A listening socket: state 0A.
  return new RegExp(`:${hex} 0{8}:0{4} 0A`).test(readFileSync('/proc/self/net/tcp', 'utf8'));
}

function logOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

type Config = (port: number, at: (name: string) => string, options: ProxyOptions) => string;

const tinyproxyConfig: Config = (port, at, { deny, password, user }) => {
  writeFileSync(at('filter'), 'nothing.example\n');
  return [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Timeout 600',
    `LogFile "${at('log')}"`,
    'LogLevel Connect',
    ...(user === undefined ? [] : [`BasicAuth ${user} ${password}`]),
    ...(deny ? [`Filter "${at('filter')}"`, 'FilterDefaultDeny Yes'] : []),
    '',
  ].join('\n');
};

const HELPER = `while read -r line; do
  [ "$(printf '%b' "$(printf %s "$line" | sed 's/%/\\\\x/g')")" = "$(cat EXPECTED)" ] && echo OK || echo ERR
done
`;

const squidConfig: Config = (port, at, { deny, password, tls, user }) => {
  if (tls !== undefined) writeFileSync(at('tls.pem'), `${tls.key}${tls.cert}`);
  // Squid escapes what it passes to the helper.
  writeFileSync(at('expected'), `${user} ${password}`);
  writeFileSync(at('helper'), HELPER.replace('EXPECTED', at('expected')));
  return [
    tls === undefined
      ? `http_port 127.0.0.1:${port}`
      : `https_port 127.0.0.1:${port} tls-cert=${at('tls.pem')}`,
    `pid_filename ${at('pid')}`,
    `cache_log ${at('cache.log')}`,
    `access_log stdio:${at('log')}`,
    'cache deny all',
    'shutdown_lifetime 0 seconds',
    'max_filedescriptors 1024',
    ...(user === undefined
      ? []
      : [
          `auth_param basic program /bin/bash ${at('helper')}`,
          'acl known proxy_auth REQUIRED',
          'http_access deny !known',
        ]),
    deny ? 'http_access deny all' : 'http_access allow all',
    '',
  ].join('\n');
};
