import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { close, freePort, listen } from '../../support/faults/listen.ts';
import { TestPage } from '../../support/web-server/test-page.ts';

describe('a page that cannot be served', () => {
  test('is said once, and served as soon as the port is free', async () => {
    const other = createServer();
    const port = await listen(other);
    const page = await TestPage.open({ env: { SHAREDCLOUD_LISTEN: `127.0.0.1:${port}` } });
    expect(page.problem?.hint).toContain(`--listen 127.0.0.1:${port + 1}`);
    await expect(page.link()).rejects.toMatchObject({ code: 'PAGE_NOT_SERVED', hint: page.problem?.hint });
    await close(other);
    await expect.poll(() => page.problem).toBeUndefined();
    expect(await page.ask('GET', '/healthz')).toMatchObject({ status: 200 });
    expect(page.events.map(({ kind }) => kind)).toEqual(['page-not-served', 'page-served']);
  });

  test.each(['192.0.2.1:8470', '[2001:db8::1]:8470'])('at %s is no reason to end', async (address) => {
    const page = await TestPage.open({
      env: { SHAREDCLOUD_LISTEN: address, SHAREDCLOUD_LISTEN_INSECURE: 'yes' },
    });
    expect(page.problem?.hint).toContain('--listen');
    await page.stop();
  });

  test('is not tried where it is turned off', async () => {
    const page = await TestPage.open({ env: { SHAREDCLOUD_LISTEN: 'off' } });
    expect(page.problem).toBeUndefined();
    expect(page.events).toEqual([]);
  });
});

describe('a file with a password', () => {
  test.each([
    ['SECRET_FILE_UNSAFE', 'a good password', 0o640],
    ['CONFIG_INVALID', '', 0o600],
    ['CONFIG_INVALID', 'short', 0o600],
    ['CONFIG_INVALID', 'two lines\nof a password', 0o600],
    ['CONFIG_INVALID', 'x'.repeat(5_000), 0o600],
  ])('is refused as %s with the content %j and mode %o', async (code, content, mode) => {
    const page = await TestPage.open();
    const file = join(page.stateDir, 'password');
    await writeFile(file, content);
    await chmod(file, mode);
    await expect(page.reload({ SHAREDCLOUD_LISTEN_PASSWORD_FILE: file })).rejects.toMatchObject({ code });
  });

  test('has to be there', async () => {
    const page = await TestPage.open();
    await expect(
      page.reload({ SHAREDCLOUD_LISTEN_PASSWORD_FILE: join(page.stateDir, 'absent') }),
    ).rejects.toMatchObject({ code: 'SECRET_FILE_UNSAFE' });
  });
});

test('a name is allowed after a reload, without a restart', async () => {
  const page = await TestPage.open({ env: { SHAREDCLOUD_LISTEN: `127.0.0.1:${await freePort()}` } });
  const status = async () => (await page.ask('GET', '/', { headers: { host: 'gpu.example' } })).status;
  expect(await status()).toBe(421);
  await page.reload({ SHAREDCLOUD_LISTEN_HOST: 'gpu.example,other' });
  expect(await status()).toBe(200);
  expect((await page.linkAnswer()).others).toHaveLength(2);
});
