import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { connectEngine, parseDockerHost } from '../../../../../src/runtime/docker/engine/connection.ts';

test.each([
  ['unix:///var/run/docker.sock', { socketPath: '/var/run/docker.sock' }],
  ['tcp://10.0.0.1:2376', { host: '10.0.0.1', port: 2376 }],
  ['tcp://docker', { host: 'docker', port: 2375 }],
])('%s is an address', (text, address) => {
  expect(parseDockerHost(text)).toEqual(address);
});

test.each([
  ['ssh://me@host', /ssh is not supported/],
  ['unix://relative.sock', /absolute/],
  ['unix://', /absolute/],
  ['npipe:////./pipe/docker_engine', /only unix and tcp/],
  ['/var/run/docker.sock', /only unix and tcp/],
  ['tcp://host:port', /only unix and tcp/],
  ['tcp://host:1/path', /no host and port/],
  ['', /only unix and tcp/],
])('%j is refused', (text, why) => {
  expect(() => parseDockerHost(text)).toThrow(why);
});

test('what the client is told by describes itself in a word: the client does that for each call', () => {
  const { modem } = connectEngine({ socketPath: '/nowhere' });
  expect(inspect(modem, { showHidden: true, depth: null })).toContain('agent: BriefAgent,');
});
