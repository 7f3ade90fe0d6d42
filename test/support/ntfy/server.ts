/* oxlint-disable vitest/valid-describe-callback, vitest/valid-title -- this file decides whether suites run. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { z } from 'zod';
import { freePort } from '../faults/listen.ts';
import { leaveOut } from '../leave-out.ts';

const PROGRAM = join(
  process.env['SHAREDCLOUD_ENGINE_DIR'] ?? join(tmpdir(), 'sharedcloud-agent-engine'),
  'ntfy/usr/bin/ntfy',
);

const MESSAGE = z.object({
  event: z.string(),
  title: z.string().optional(),
  message: z.string().optional(),
  priority: z.number().optional(),
  tags: z.array(z.string()).optional(),
});

/** A suite that needs the ntfy of `fetch.sh`; without it, it is skipped under a name that says why, and fails in CI. */
export function describeNtfy(name: string, body: () => void): void {
  if (!existsSync(PROGRAM)) return leaveOut(name, `there is no ${PROGRAM}: see test/support/ntfy/fetch.sh`);
  describe(name, body);
}

/** A real ntfy server, on which only the owner of a token may use topics. */
export async function ntfyServer() {
  const directory = mkdtempSync(join(tmpdir(), 'ntfy-test-'));
  const config = join(directory, 'server.yml');
  const url = `http://127.0.0.1:${await freePort()}`;
  const lines = {
    'base-url': url,
    'listen-http': url.slice('http://'.length),
    'auth-file': join(directory, 'user.db'),
    'auth-default-access': 'deny-all',
    'cache-file': join(directory, 'cache.db'),
  };
  writeFileSync(
    config,
    Object.entries(lines)
      .map(([key, value]) => `${key}: "${value}"\n`)
      .join(''),
  );
  const server = spawn(PROGRAM, ['serve', '--config', config], { stdio: 'ignore' });
  const ask = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${url}${path}`, init);
  while (
    !(await ask('/v1/health').then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await new Promise((later) => void setTimeout(later, 20));
  const run = (...args: readonly string[]): string =>
    execFileSync(PROGRAM, [...args], {
      env: { NTFY_PASSWORD: 'a-password' },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  run('user', '--config', config, 'add', 'ada');
  run('access', '--config', config, 'ada', 'gpus', 'read-write');
  // It prints what it did on stderr.
  const tokens = execFileSync('sh', ['-c', '"$0" token --config "$1" add ada 2>&1', PROGRAM, config], {
    encoding: 'utf8',
  });
  const [token = ''] = /tk_\w+/.exec(tokens) ?? [];
  return {
    url,
    directory,
    token,
    /** What was published to a topic, oldest first. */
    messages: async (topic: string) => {
      const answer = await ask(`/${topic}/json?poll=1`, { headers: { authorization: `Bearer ${token}` } });
      const published = (await answer.text()).split('\n').filter((line) => line !== '');
      return published
        .map((line) => MESSAGE.parse(JSON.parse(line)))
        .filter(({ event }) => event === 'message');
    },
    [Symbol.asyncDispose]: async () => {
      const gone = new Promise((done) => void server.once('exit', done));
      server.kill('SIGKILL');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
