import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { describeBrowser } from '../support/browser/describe.ts';
import { PageHost } from '../support/browser/page-host.ts';
import { CHROMIUM } from '../support/browser/test-browser.ts';
import { listen } from '../support/faults/listen.ts';

/** A site of somebody else on this host; answers its origin, and what browsers sent to it. */
async function otherSite(html = '<!doctype html><title>other</title>') {
  const seen: IncomingMessage[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    seen.push(request);
    response.writeHead(200, { 'content-type': 'text/html' }).end(html);
  });
  const port = await listen(server);
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${port}`, seen };
}

describeBrowser('the page in a browser with foreign sites', (browser) => {
  test('is not reached by a name that leads to this host', async () => {
    const host = await PageHost.open();
    const { port } = new URL(host.origin);
    // As after a DNS rebinding: the name of a website resolves to this host.
    const rebound = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
    });
    onTestFinished(() => rebound.close());
    const page = await rebound.newPage();
    const statuses = [];
    for (const path of ['', 'page/main.js', 'healthz', 'api/status', 'metrics'])
      statuses.push((await page.goto(`http://evil.example:${port}/${path}`))?.status());
    expect(statuses).toEqual([421, 421, 421, 421, 421]);
  });

  test('cannot be changed or read from another port of this host, to which its cookie is sent', async () => {
    const host = await PageHost.open();
    const other = await otherSite();
    const view = await browser.open(host);
    view.expectErrors(/./);
    await view.page.goto(other.origin);
    // The cookie is there, and is not enough.
    const cookie = other.seen.map(({ headers }) => headers.cookie ?? '').find((text) => text !== '') ?? '';
    expect(cookie).toContain('sharedcloud-');
    const got = await view.page.request.get(`${host.origin}/api/status`, { headers: { cookie } });
    expect(got.status()).toBe(401);
    const outcome = await view.page.evaluate(async (target) => {
      const tries = [
        fetch(`${target}/api/status`, { credentials: 'include' }),
        fetch(`${target}/api/pause`, {
          method: 'POST',
          mode: 'no-cors',
          credentials: 'include',
          headers: { 'content-type': 'text/plain' },
          body: '{}',
        }),
      ];
      const settled = await Promise.allSettled(tries);
      return settled.map((one) => (one.status === 'rejected' ? 'rejected' : one.value.type));
    }, host.origin);
    expect(outcome).toEqual(['rejected', 'rejected']);
    expect(host.log.filter((line) => line.includes('owner-command'))).toEqual([]);
  });

  test('cannot be changed by a form of another site', async () => {
    const host = await PageHost.open();
    const other = await otherSite(
      `<!doctype html><form method="post" enctype="text/plain" action="${host.origin}/api/pause"><input name="{}" value=""></form>`,
    );
    const view = await browser.open(host);
    view.expectErrors(/./);
    await view.page.goto(other.origin);
    const answered = view.page.waitForResponse((response) => response.url().endsWith('/api/pause'));
    await view.page.evaluate('document.forms[0].submit()');
    expect((await answered).status()).toBe(403);
    expect(host.log.filter((line) => line.includes('owner-command'))).toEqual([]);
  });

  test('is shown in no frame', async () => {
    const host = await PageHost.open();
    const other = await otherSite(`<!doctype html><iframe src="${host.origin}/"></iframe>`);
    const view = await browser.open(host);
    view.expectErrors(/./);
    await view.page.goto(other.origin);
    const [frame] = view.page.frames().slice(1);
    expect(await frame?.locator('#app').count()).toBe(0);
  });

  test('keeps its cookie from scripts, and is signed in by a link once', async () => {
    const host = await PageHost.open();
    const view = await browser.open(host);
    expect(await view.page.evaluate('document.cookie')).toBe('');
    const { url } = await host.link();
    const first = await browser.open({
      origin: host.origin,
      signIn: async ({ page }) => {
        const signedIn = page.waitForResponse(`${host.origin}/session`);
        await page.goto(url);
        expect((await signedIn).status()).toBe(200);
      },
    });
    await first.page.getByRole('heading', { level: 1 }).first().waitFor();
    const second = await browser.open({ origin: host.origin, signIn: async () => undefined });
    second.expectErrors(/401/);
    const refused = second.page.waitForResponse(`${host.origin}/session`);
    await second.page.goto(url);
    await second.page.reload();
    expect((await refused).status()).toBe(401);
  });

  test('shows what a buyer wrote as text', async () => {
    const host = await PageHost.open();
    const name = '<img src=/x onerror="document.title=1">';
    const run = host.addRun({
      name,
      code: 'function handler() { console.log("<script>document.title=2</script><b>bold</b>"); return 7 }',
    });
    await expect.poll(() => host.jobsOf(run).length).toBe(1);
    const view = await browser.open(host, '#/jobs');
    await view.untilShown(name);
    await view.goTo(`#/jobs/${host.jobsOf(run)[0]?.uuid}`);
    await view.untilShown('<b>bold</b>');
    expect(await view.page.locator('#app :is(img, script), #app pre b').count()).toBe(0);
    expect(await view.page.title()).not.toMatch(/^[12]$/);
  });
});
