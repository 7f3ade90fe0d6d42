import { describe, expect, test } from 'vitest';
import { dockerHost } from '../../../src/config/url-types.ts';
import { BadValue } from '../../../src/config/value-type.ts';
import { parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';

describe('the container engine’s URL', () => {
  // Option and runtime must accept the same URLs.
  test.each([
    'unix:///var/run/docker.sock',
    'tcp://127.0.0.1:2375',
    'tcp://engine.example:2375/',
    'tcp://docker',
  ])('%s is accepted by option and runtime', (text) => {
    expect(dockerHost.read([text])).toBe(text);
    expect(() => parseDockerHost(text)).not.toThrow();
  });

  test.each([
    '/var/run/docker.sock',
    'unix://docker.sock',
    'tcp://',
    'tcp://host:1/path',
    'http://127.0.0.1:2375',
    'https://engine.example:2376',
    'ssh://host',
    '',
  ])('%j is rejected by option and runtime', (text) => {
    expect(() => dockerHost.read([text])).toThrow(BadValue);
    expect(() => parseDockerHost(text)).toThrow('cannot be used');
  });
});
