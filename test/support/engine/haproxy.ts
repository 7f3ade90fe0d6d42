import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

/** HAProxy before an engine's Unix socket. */
export type EngineHaproxy = AsyncDisposable & { readonly host: string };

/**
 * Starts Debian's HAProxy with its default buffers before the engine at `engineHost`. `rules` are lines of its frontend,
 * such as the refusals of docker-socket-proxy.
 */
export async function haproxyBefore(
  engineHost: string,
  rules: readonly string[] = [],
): Promise<EngineHaproxy> {
  const dir = await mkdtemp(join(tmpdir(), 'haproxy-'));
  const socket = join(dir, 'docker.sock');
  const config = [
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 10m',
    '  timeout server 10m',
    'frontend agent',
    `  bind unix@${socket}`,
    ...rules.map((rule) => `  ${rule}`),
    '  default_backend docker',
    'backend docker',
    `  server engine unix@${new URL(engineHost).pathname}`,
  ];
  await writeFile(join(dir, 'haproxy.cfg'), `${config.join('\n')}\n`);
  const haproxy = spawn('haproxy', ['-db', '-f', join(dir, 'haproxy.cfg')], { stdio: 'ignore' });
  await once(haproxy, 'spawn');
  await vi.waitFor(() => access(socket), 10_000);
  return {
    host: `unix://${socket}`,
    [Symbol.asyncDispose]: async () => {
      const ended = once(haproxy, 'exit');
      haproxy.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true });
    },
  };
}
