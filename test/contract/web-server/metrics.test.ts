import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TestPage } from '../../support/web-server/test-page.ts';

async function tokenFile(token: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'metrics-token-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'token');
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return file;
}

test('on loopback a scraper needs neither a session nor a token, and gets the format that it accepts', async () => {
  const page = await TestPage.open();
  expect(await page.ask('GET', '/metrics')).toMatchObject({
    status: 200,
    text: '# text\n',
    headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
  });
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5';
  expect(await page.ask('GET', '/metrics', { headers: { accept } })).toMatchObject({
    status: 200,
    text: '# openmetrics\n',
    headers: { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' },
  });
  expect(await page.ask('HEAD', '/metrics')).toMatchObject({ status: 200, text: '' });
  expect((await page.ask('GET', '/metricsx')).status).toBe(404);
});

test('what a proxy forwards, and what another site’s name asks for, is refused', async () => {
  const page = await TestPage.open();
  const forwarded = await page.ask('GET', '/metrics', { headers: { 'x-forwarded-for': '203.0.113.7' } });
  expect(forwarded.status).toBe(403);
  expect(forwarded.text).toContain('--metrics-token-file');
  const rebound = await page.ask('GET', '/metrics', { headers: { host: 'evil.example' } });
  expect(rebound).toMatchObject({ status: 421, body: { error: { code: 'HOST_REFUSED' } } });
});

test('with a token file only its token opens the metrics, and a reload takes another one', async () => {
  const page = await TestPage.open({
    env: { SHAREDCLOUD_METRICS_TOKEN_FILE: await tokenFile('first-token-of-it') },
  });
  const ask = (token: string) =>
    page.ask('GET', '/metrics', { headers: { authorization: `Bearer ${token}` } });
  expect(await page.ask('GET', '/metrics')).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="metrics"' },
  });
  expect((await ask('first-token-of-it')).status).toBe(200);
  expect((await ask('another-token')).status).toBe(401);
  await page.reload({ SHAREDCLOUD_METRICS_TOKEN_FILE: await tokenFile('another-token') });
  expect((await ask('another-token')).status).toBe(200);
  expect((await ask('first-token-of-it')).status).toBe(401);
});
