import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { type Route, route } from '../../../src/control-api/route.ts';
import { SESSIONS_FILE } from '../../../src/web-server/session-store.ts';
import { headersOf, keptOf, TestPage } from '../../support/web-server/test-page.ts';

const DAY_MS = 86_400_000;
const ANY = z.looseObject({});
const ROUTES: readonly Route[] = [
  route({ ...ENDPOINTS.status, answer: ANY }, async ({ query }) => ({ key: query.get('key') })),
  route({ ...ENDPOINTS.pause, answer: ANY }, async ({ caller, from }) => ({ by: caller, from })),
];
const PASSWORD = 'correct horse battery';

/** A page with a password. */
async function withPassword(): Promise<TestPage & { readonly file: string }> {
  const page = await TestPage.open({ routes: ROUTES });
  const file = join(page.stateDir, 'password');
  await writeFile(file, `${PASSWORD}\n`, { mode: 0o600 });
  await page.reload({ SHAREDCLOUD_LISTEN_PASSWORD_FILE: file });
  return Object.assign(page, { file });
}

describe('a session', () => {
  test('begins with a link, and shows and changes what its caller may', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const got = await page.ask('POST', '/session', { body: { link: await page.link() } });
    expect(got).toMatchObject({ status: 200, body: { rights: ['read', 'control'] } });
    expect(got.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    const headers = headersOf(keptOf(got));
    expect(await page.ask('GET', '/api/status', { headers })).toMatchObject({ status: 200 });
    expect(await page.ask('GET', '/session', { headers })).toMatchObject({
      status: 200,
      body: { rights: ['read', 'control'] },
    });
    const { body } = await page.ask('POST', '/api/pause', { headers, body: {} });
    const { by, from } = z.object({ by: z.string(), from: z.string() }).parse(body);
    const [, session = ''] = /^session (\S+) at 127\.0\.0\.1$/.exec(from) ?? [];
    expect(session).not.toBe('');
    // People read who it was; which of their sessions is for the record only.
    expect(by).not.toContain(session);
    expect(page.events).toContainEqual(expect.objectContaining({ kind: 'page-signed-in', by, from }));
  });

  test('needs the cookie and the key, and each of them right', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const mine = await page.signIn();
    const other = await page.signIn();
    const forged = {
      ...mine,
      cookie: mine.cookie.replace(/\.(.)/, (_all, one) => `.${one === 'A' ? 'B' : 'A'}`),
    };
    for (const headers of [
      {},
      { cookie: mine.cookie },
      { 'x-sharedcloud-key': mine.key },
      headersOf({ cookie: mine.cookie, key: other.key }),
      headersOf(forged),
    ])
      expect(await page.ask('GET', '/api/status', { headers })).toMatchObject({
        status: 401,
        body: { error: { code: 'SESSION_REQUIRED' }, password: false },
      });
    expect(await page.ask('GET', '/session')).toMatchObject({ status: 401 });
  });

  test('takes its key from the address where a header cannot be sent, and hands it to nobody', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const { cookie, key } = await page.signIn();
    expect(await page.ask('GET', `/api/status?key=${key}`, { headers: { cookie } })).toMatchObject({
      status: 200,
      body: { key: null },
    });
    expect(await page.ask('POST', `/api/pause?key=${key}`, { headers: { cookie }, body: {} })).toMatchObject({
      status: 401,
    });
  });

  test('of a link for looking only changes nothing', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const headers = headersOf(await page.signIn({ link: await page.link(true) }));
    expect(await page.ask('GET', '/api/status', { headers })).toMatchObject({ status: 200 });
    expect(await page.ask('POST', '/api/pause', { headers, body: {} })).toMatchObject({
      status: 403,
      body: { error: { code: 'CONTROL_DENIED' } },
    });
  });

  test('outlives the agent that began it, and its cookie is renewed while it is used', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const first = await page.signIn();
    await page.stop();
    await page.start();
    page.clock.advance(29 * DAY_MS);
    const got = await page.ask('GET', '/api/status', { headers: headersOf(first) });
    const renewed = got.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
    page.clock.advance(2 * DAY_MS);
    const after = (cookie: string) =>
      page.ask('GET', '/session', { headers: headersOf({ cookie, key: first.key }) });
    expect(await after(first.cookie)).toMatchObject({ status: 401 });
    expect(await after(renewed)).toMatchObject({ status: 200 });
    page.clock.advance(30 * DAY_MS);
    expect(await after(renewed)).toMatchObject({ status: 401 });
  });

  test('ends when it signs out, for its cookie and over a restart, and others go on', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const mine = headersOf(await page.signIn());
    const other = headersOf(await page.signIn());
    const got = await page.ask('DELETE', '/session', { headers: mine });
    expect(got.headers['set-cookie']?.[0]).toMatch(/=; .*Max-Age=0/);
    await page.stop();
    await page.start();
    expect(await page.ask('GET', '/session', { headers: mine })).toMatchObject({ status: 401 });
    expect(await page.ask('GET', '/session', { headers: other })).toMatchObject({ status: 200 });
    expect(page.events.map(({ kind }) => kind)).toContain('page-signed-out');
  });

  test('ends with all others and with every link when everybody is signed out', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const headers = headersOf(await page.signIn());
    const link = await page.link();
    await page.signOutAll();
    expect(await page.ask('GET', '/session', { headers })).toMatchObject({ status: 401 });
    expect(await page.ask('POST', '/session', { body: { link } })).toMatchObject({ status: 401 });
    await page.signIn();
  });

  test('is signed by a secret that only the agent’s user may read', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const headers = headersOf(await page.signIn());
    const file = join(page.stateDir, SESSIONS_FILE);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await chmod(file, 0o644);
    await page.stop();
    await page.start();
    // Others may have read it.
    expect(await page.ask('GET', '/session', { headers })).toMatchObject({ status: 401 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test.each(['', '{}', '{"secret":"short","signedOut":[]}'])(
    'begins again where the file with the secret contains %j',
    async (content) => {
      const page = await TestPage.open({ routes: ROUTES });
      await page.signIn();
      await page.stop();
      const file = join(page.stateDir, SESSIONS_FILE);
      await writeFile(file, content);
      await page.start();
      await page.signIn();
      expect(await readFile(file, 'utf8')).toMatch(/"secret":"[\w-]{43}"/);
    },
  );
});

describe('a link', () => {
  test('works once, not after two minutes, and not over a restart', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    const used = await page.link();
    const late = await page.link();
    await page.signIn({ link: used });
    const refused = async (link: string) =>
      expect(await page.ask('POST', '/session', { body: { link } })).toMatchObject({
        status: 401,
        body: { error: { code: 'SIGN_IN_REFUSED' } },
      });
    await refused(used);
    page.clock.advance(120_000);
    await refused(late);
    await page.stop();
    await page.start();
    await refused(used);
    expect(page.events.filter(({ kind }) => kind === 'page-sign-in-refused')).toHaveLength(3);
  });

  test('leads to the address at which the page listens', async () => {
    const page = await TestPage.open({ routes: ROUTES });
    expect((await page.linkAnswer()).url).toMatch(new RegExp(`^${page.origin}/#link=[\\w-]{32}$`));
  });

  test('is not made where the page is turned off', async () => {
    const page = await TestPage.open({ env: { SHAREDCLOUD_LISTEN: 'off' } });
    await expect(page.link()).rejects.toMatchObject({ code: 'PAGE_NOT_SERVED' });
  });
});

describe('a password', () => {
  test('begins a session that may do everything, and ends with the password', async () => {
    const page = await withPassword();
    const headers = headersOf(await page.signIn({ password: PASSWORD }));
    expect(await page.ask('POST', '/api/pause', { headers, body: {} })).toMatchObject({ status: 200 });
    await writeFile(page.file, 'another password');
    await page.reload({ SHAREDCLOUD_LISTEN_PASSWORD_FILE: page.file });
    expect(await page.ask('GET', '/session', { headers })).toMatchObject({
      status: 401,
      body: { password: true },
    });
  });

  test('is not found by trying', async () => {
    const page = await withPassword();
    const statuses: number[] = [];
    for (let tries = 0; tries < 15; tries += 1)
      statuses.push((await page.ask('POST', '/session', { body: { password: `${tries}` } })).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(5).fill(429)]);
    expect(await page.ask('POST', '/session', { body: { password: PASSWORD } })).toMatchObject({
      status: 429,
    });
    // Links are not limited, so nobody locks the owner out.
    await page.signIn();
    page.clock.advance(10_000);
    await page.signIn({ password: PASSWORD });
    expect(page.events.filter(({ kind }) => kind === 'page-sign-in-refused')).toHaveLength(10);
  });

  test.each([{}, { link: 'x', password: 'y' }, { password: 1 }, []])('is not read from %j', async (body) => {
    const page = await withPassword();
    expect(await page.ask('POST', '/session', { body })).toMatchObject({
      status: 400,
      body: { error: { code: 'CONTROL_INVALID' } },
    });
  });
});
