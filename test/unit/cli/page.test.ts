import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { runLine } from '../../support/cli/run.ts';
import { headersOf, TestPage } from '../../support/web-server/test-page.ts';

const LINK = z.object({ url: z.string(), rights: z.array(z.string()) });
const page = (host: TestPage, ...flags: readonly string[]) =>
  runLine(['page', '--state-dir', host.stateDir, ...flags]);

describe('page', () => {
  test('prints a link that signs in, and that alone on stdout', async () => {
    const host = await TestPage.open();
    const { exit, stdout } = await page(host);
    expect(exit).toBe(0);
    const link = new URL(stdout.trim()).hash.replace('#link=', '');
    expect(await host.ask('POST', '/session', { body: { link } })).toMatchObject({ status: 200 });
  });

  test('prints the answer of the agent with --json, and a link for looking only with --read-only', async () => {
    const host = await TestPage.open();
    const { stdout } = await page(host, '--json', '--read-only');
    const { rights, url } = LINK.parse(JSON.parse(stdout));
    expect(rights).toEqual(['read']);
    expect(ENDPOINTS.pageLink.answer.parse(JSON.parse(stdout)).others).toEqual([]);
    const link = new URL(url).hash.replace('#link=', '');
    const got = await host.ask('POST', '/session', { body: { link } });
    expect(got.body['rights']).toEqual(['read']);
  });

  test('signs everybody out', async () => {
    const host = await TestPage.open();
    const headers = headersOf(await host.signIn());
    expect((await page(host, '--sign-out-all')).exit).toBe(0);
    expect(await host.ask('GET', '/session', { headers })).toMatchObject({ status: 401 });
    expect((await page(host, '--sign-out-all', '--read-only')).exit).toBe(2);
  });

  test.each([
    ['PAGE_NOT_SERVED', 'off'],
    ['AGENT_NOT_RUNNING', undefined],
  ])('fails as %s where it listens on %j', async (code, listen) => {
    const host = await TestPage.open({ env: { SHAREDCLOUD_LISTEN: listen ?? '127.0.0.1:0' } });
    if (listen === undefined) await host.stop();
    const { exit, stderr } = await page(host, '--json');
    expect(exit).toBe(1);
    expect(stderr).toContain(code);
  });
});
