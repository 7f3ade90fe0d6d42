import { describe, expect, test } from 'vitest';
import { DEFAULT_FILE, load, loadError } from '../../support/config/load.ts';

const valueOf = async (env: Readonly<Record<string, string>>) => (await load({ env })).config;

describe('--listen', () => {
  test.each([
    [undefined, { host: '127.0.0.1', port: 8470 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:8470', { host: 'localhost', port: 8470 }],
    ['off', 'off'],
    ['OFF', 'off'],
  ])('%j', async (text, expected) => {
    const { listen } = await valueOf(text === undefined ? {} : { SHAREDCLOUD_LISTEN: text });
    expect(listen).toEqual(expected);
  });

  test.each([
    '8470',
    ':8470',
    '127.0.0.1',
    'gpu.example:8470',
    '::1:8470',
    '1.2.3.4:65536',
    '1.2.3.400:1',
    'on',
    'http://127.0.0.1:8470',
    '[::1:8470',
  ])('must not be %j', async (text) => {
    expect(await loadError({ env: { SHAREDCLOUD_LISTEN: text } })).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('a page that other machines reach', () => {
  const OUTSIDE = ['0.0.0.0:8470', '[::]:8470', '192.168.1.7:8470', '[fd00::7]:8470'];

  test.each(OUTSIDE)('at %s needs a password, or the word of its owner', async (listen) => {
    const error = await loadError({ env: { SHAREDCLOUD_LISTEN: listen } });
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.hint).toContain('--listen-password-file');
    await load({ env: { SHAREDCLOUD_LISTEN: listen, SHAREDCLOUD_LISTEN_PASSWORD_FILE: '/p' } });
    await load({ env: { SHAREDCLOUD_LISTEN: listen, SHAREDCLOUD_LISTEN_INSECURE: 'yes' } });
    await loadError({ env: { SHAREDCLOUD_LISTEN: listen, SHAREDCLOUD_LISTEN_INSECURE: 'no' } });
  });

  test.each(['127.0.0.1:1', '127.1.2.3:1', '[::1]:1', 'localhost:1', 'off'])(
    'is none at %s',
    async (listen) => {
      await expect(load({ env: { SHAREDCLOUD_LISTEN: listen } })).resolves.toBeDefined();
    },
  );
});

describe('--listen-insecure', () => {
  test.each([
    ['listen-insecure = true', true],
    ['listen-insecure = false', false],
    ['listen-insecure = "yes"', true],
  ])('may be %s in the file', async (line, expected) => {
    const { config } = await load({ files: { [DEFAULT_FILE]: line } });
    expect(config.listenInsecure).toBe(expected);
  });

  test.each(['listen-insecure = "maybe"', 'listen-insecure = [true]'])('must not be %s', async (line) => {
    expect(await loadError({ files: { [DEFAULT_FILE]: line } })).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('--listen-host', () => {
  test('takes names and addresses as browsers name them', async () => {
    const { listenHost } = await valueOf({
      SHAREDCLOUD_LISTEN_HOST: 'GPU.example., fd00::7,[::2], 192.168.1.7,a_b',
    });
    expect(listenHost).toEqual(['gpu.example', 'fd00::7', '::2', '192.168.1.7', 'a_b']);
  });

  test.each(['https://gpu.example', 'gpu.example:443', '*.example', 'a b', 'a/b', 'user@gpu.example'])(
    'must not be %j',
    async (name) => {
      expect(await loadError({ env: { SHAREDCLOUD_LISTEN_HOST: name } })).toMatchObject({
        code: 'CONFIG_INVALID',
      });
    },
  );
});
