import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test, vi } from 'vitest';
import {
  connectEngine,
  isLocal,
  parseDockerHost,
  withoutLinks,
} from '../../../../../src/runtime/docker/engine/connection.ts';
import { scratchDir } from '../../../../support/journal/scratch.ts';

test.each([
  ['unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
  ['tcp://10.0.0.1:2376', { host: '10.0.0.1', port: 2376 }],
  ['tcp://docker', { host: 'docker', port: 2375 }],
])('parses %s', (text, address) => {
  expect(parseDockerHost(text)).toEqual(address);
});

test.each([
  'ssh://me@host',
  'unix://relative.sock',
  'unix://',
  'npipe:////./pipe/docker_engine',
  '/var/run/docker.sock',
  'tcp://host:port',
  'tcp://host:1/path',
  '',
])('refuses %j', (text) => {
  expect(() => parseDockerHost(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});

test.each([
  ['unix:///var/run/docker.sock', true],
  ['tcp://127.0.0.1:2375', true],
  ['tcp://localhost', true],
  ['tcp://[::1]:2375', true],
  ['tcp://10.0.0.1:2375', false],
  ['tcp://engine.example', false],
])('%s is on this machine: %s', (host, local) => {
  expect(isLocal(parseDockerHost(host))).toBe(local);
});

test('keeps docker-modem from formatting the options of each call for its debug log', async () => {
  const format = vi.fn<() => string>(() => 'formatted');
  const options = { abortSignal: Object.assign(new AbortController().signal, { [inspect.custom]: format }) };
  const client: { version(options: object): Promise<unknown> } = connectEngine({ socketPath: '/nowhere' });
  await expect(client.version(options)).rejects.toThrow(/ENOENT/);
  expect(format).not.toHaveBeenCalled();
});

test('a socket is the same however its path is spelled', () => {
  const dir = scratchDir();
  mkdirSync(join(dir, 'run'));
  writeFileSync(join(dir, 'run/docker.sock'), '');
  symlinkSync('run', join(dir, 'link'));
  const host = `unix://${realpathSync(dir)}/run/docker.sock`;
  expect(withoutLinks(`unix://${dir}/link/docker.sock`)).toBe(host);
  expect(withoutLinks(host)).toBe(host);
  for (const other of [`unix://${dir}/none.sock`, 'tcp://127.0.0.1:2375'])
    expect(withoutLinks(other)).toBe(other);
});
