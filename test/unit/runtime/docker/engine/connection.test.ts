import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  connectEngine,
  isLocal,
  parseDockerHost,
} from '../../../../../src/runtime/docker/engine/connection.ts';

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

test('describes its HTTP agent in one word, because docker-modem formats it at every call', () => {
  const { modem } = connectEngine({ socketPath: '/nowhere' });
  expect(inspect(modem, { showHidden: true, depth: null })).toContain('agent: BriefAgent,');
});
