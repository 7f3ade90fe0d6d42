import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  parseDockerConfig,
  registryOfKey,
  secretsOf,
  serverAddress,
} from '../../../../../src/runtime/docker/registry/docker-config.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const parse = (config: unknown) => parseDockerConfig(JSON.stringify(config));

describe('a config.json of Docker', () => {
  test('has a user name and a password, a token, or nothing for a registry', () => {
    const { auths, problems } = parse({
      auths: {
        'a.example': { auth: base64('me:pass:word'), email: 'x' },
        'b.example': { username: 'me', password: 'secret' },
        'c.example': { auth: base64('00000000:'), identitytoken: 'identity' },
        'd.example': { registrytoken: 'bearer' },
        'e.example': {},
      },
      HttpHeaders: { 'User-Agent': 'x' },
    });
    expect(problems).toEqual([]);
    expect(Object.fromEntries(auths)).toEqual({
      'a.example': { serveraddress: 'a.example', username: 'me', password: 'pass:word' },
      'b.example': { serveraddress: 'b.example', username: 'me', password: 'secret' },
      'c.example': { serveraddress: 'c.example', username: '00000000', identitytoken: 'identity' },
      'd.example': { serveraddress: 'd.example', registrytoken: 'bearer' },
    });
  });

  test.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['https://registry-1.docker.io', 'docker.io'],
    ['http://Localhost:5000/v2/', 'localhost:5000'],
    ['ghcr.io/team', 'ghcr.io'],
    ['quay.io', 'quay.io'],
  ])('knows the registry of the key %s', (key, registry) => {
    expect(registryOfKey(key)).toBe(registry);
  });

  test('names Docker Hub to the engine and to helpers as Docker does', () => {
    expect([serverAddress('docker.io'), serverAddress('ghcr.io')]).toEqual([
      'https://index.docker.io/v1/',
      'ghcr.io',
    ]);
  });

  test('prefers the key that is the registry’s name', () => {
    const entry = (password: string) => ({ username: 'me', password });
    const keys = {
      'https://a.example/v1/': entry('one'),
      'a.example': entry('two'),
      'a.example/x': entry('three'),
    };
    expect(parse({ auths: keys }).auths.get('a.example')?.password).toBe('two');
  });

  test('names helpers, which must be names of programs', () => {
    const helpers = { 'gcr.io': 'gcloud', 'a.example': '../../bin/sh', 'b.example': 'x y', 'c.example': 7 };
    const config = parse({ credsStore: 'desktop.exe', credHelpers: helpers });
    expect([config.store, Object.fromEntries(config.helpers)]).toEqual([
      'desktop.exe',
      { 'gcr.io': 'gcloud' },
    ]);
    expect(config.problems).toHaveLength(3);
    const odd = parse({ credsStore: '$(reboot)' });
    expect([odd.store, odd.problems.length]).toEqual([undefined, 1]);
  });

  test('keeps its good entries where others are broken, and shows none of their content', () => {
    const secret = 'c2VjcmV0LXdpdGhvdXQtY29sb24=';
    const { auths, problems } = parse({
      auths: {
        'a.example': { auth: secret },
        'b.example': 7,
        'c.example': { username: 'me', password: 'secret' },
      },
    });
    expect([...auths.keys()]).toEqual(['c.example']);
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain(secret);
    expect(problems.join()).not.toContain('secret-without');
  });

  test('is bounded in its entries, its secrets and its depth', () => {
    const many = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, n) => [`r${n}.example`, { username: 'me', password: 'x' }]),
    );
    expect(parse({ auths: many }).auths.size).toBe(1_000);
    expect(
      parse({ auths: { 'a.example': { username: 'me', password: 'x'.repeat(100_000) } } }).auths.size,
    ).toBe(0);
    const deep = `{"auths":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(() => parseDockerConfig(deep)).toThrow(z.ZodError);
  });

  test('never fails but with a SyntaxError or a ZodError', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (auths) => {
        expect(() => parse({ auths: { 'a.example': auths }, credHelpers: { b: auths } })).not.toThrow();
      }),
    );
  });
});

test('secrets are known in the writings in which they are kept, unless they are part of many words', () => {
  const auth = { serveraddress: 'a', username: 'me', password: 'long-enough', identitytoken: 'token-token' };
  expect(secretsOf(auth)).toEqual([base64('me:long-enough'), 'long-enough', 'token-token']);
  expect(secretsOf({ serveraddress: 'a', username: 'somebody', password: 'info' })).toEqual([
    base64('somebody:info'),
  ]);
});
