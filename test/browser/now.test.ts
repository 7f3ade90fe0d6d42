import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { STATUS } from '../../src/control-api/status-schema.ts';
import { describeBrowser } from '../support/browser/describe.ts';
import { PageHost } from '../support/browser/page-host.ts';
import type { View } from '../support/browser/view.ts';
import { aStatus, NOON } from '../support/control/a-status.ts';
import { aGpu } from '../support/domain.ts';
import { scratchDir } from '../support/journal/scratch.ts';

const ENDLESS = 'function handler() { return new Promise(() => setInterval(() => undefined, 1000)); }';
const ONE = [aGpu({ uuid: 'GPU-11111111-2222-3333-4444-555555555555' })];
const TWO = [
  ...ONE,
  aGpu({ uuid: 'GPU-66666666-7777-8888-9999-000000000000', index: 1, busId: '00000000:02:00.0' }),
];
const button = (view: View, name: string) => view.page.getByRole('button', { name, exact: true });

/** Whether the whole of what a selector finds can be seen without scrolling, above the navigation. */
async function isWhole(view: View, selector: string): Promise<boolean> {
  const box = await view.page.locator(selector).last().boundingBox();
  const nav = await view.page.locator('nav').boundingBox();
  if (box === null || nav === null) return false;
  return box.y >= 0 && box.y + box.height <= nav.y && box.x >= 0 && box.x + box.width <= nav.width;
}

describeBrowser('the view Now', (browser) => {
  test('shows state, earnings and two GPUs on a phone without scrolling', async () => {
    const host = await PageHost.open({ gpus: TWO });
    const view = await browser.open(host);
    await button(view, 'Pause GPU 1').waitFor();
    for (const selector of ['h1', '.today', '.gpu', '.gpu-actions button'])
      expect([selector, await isWhole(view, selector)]).toEqual([selector, true]);
    await view.expectNoSidewaysScroll();
  });

  test('follows a job without a reload, in the card, the state and the title', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    await button(view, 'Pause GPU 0').waitFor();
    await view.page.evaluate('window.isSamePage = true');
    host.addRun({ code: ENDLESS, name: 'resize-images' });
    await view.page.locator('.gpu-job').getByText('resize-images').waitFor();
    await expect.poll(() => view.page.title()).toMatch(/^● /);
    expect(await view.page.evaluate('window.isSamePage')).toBe(true);
    await view.expectNoViolations();
  });

  test('pauses a GPU with a note, which the agent confirms, and resumes it', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    await button(view, 'Pause GPU 0').click();
    await view.page.getByRole('dialog').getByRole('textbox').first().fill('gaming night');
    await view.expectNoViolations();
    await view.page.getByRole('dialog').getByRole('button', { name: '1 hr' }).click();
    await button(view, 'Resume GPU 0').waitFor();
    await view.page.getByRole('dialog').waitFor({ state: 'detached' });
    await view.page.getByRole('heading', { level: 1 }).getByText('gaming night').waitFor();
    await expect.poll(() => host.offers().filter(({ available }) => available)).toEqual([]);
    await button(view, 'Resume GPU 0').click();
    await button(view, 'Pause GPU 0').waitFor();
  });

  test('shows what taking a GPU back costs before it happens, and then what has happened', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    const run = host.addRun({ code: ENDLESS });
    await view.page.locator('.gpu-job').waitFor();
    await button(view, 'Take it back: GPU 0').click();
    const dialog = view.page.getByRole('dialog');
    await dialog.getByText('unpaid').waitFor();
    await view.expectNoViolations();
    expect(host.jobsOf(run)).toMatchObject([{ status: 2 }]);
    const sent = view.page.waitForRequest('**/api/reclaim');
    await dialog.getByRole('button', { name: 'Take it back now' }).click();
    // One that begins after the question was not agreed to.
    const [job] = host.jobsOf(run);
    expect((await sent).postData()).toContain(`"confirmed":["${job?.uuid}"]`);
    await dialog.getByRole('button', { name: 'Done' }).waitFor();
    await expect.poll(() => host.jobsOf(run)).toMatchObject([{ status: 1 }]);
    await view.page.keyboard.press('Escape');
    await button(view, 'Resume GPU 0').waitFor();
  });

  test('pauses instead where the owner waits for the jobs', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    const run = host.addRun({ code: ENDLESS });
    await view.page.locator('.gpu-job').waitFor();
    await button(view, 'Take it back: GPU 0').click();
    await view.page.getByRole('button', { name: 'Wait for them' }).click();
    await button(view, 'Resume GPU 0').waitFor();
    expect(host.jobsOf(run)).toMatchObject([{ status: 2 }]);
  });

  test('gives a mode to everything at once', async () => {
    const host = await PageHost.open({ gpus: TWO });
    const view = await browser.open(host);
    await button(view, 'More for everything').click();
    await view.expectNoViolations();
    await view.page.getByRole('button', { name: /^Off/ }).click();
    await view.page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => view.page.locator('.gpu .badge').allInnerTexts()).toEqual(['off', 'off']);
  });

  test('says when the agent is gone, and continues by itself when it is back', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    view.expectErrors(/ERR_|Failed to load/);
    await button(view, 'Pause GPU 0').waitFor();
    await view.page.evaluate('window.isSamePage = true');
    await host.stopAgent();
    await view.page.locator('.banner').waitFor();
    for (const name of ['Pause all', 'Pause GPU 0']) await button(view, name).waitFor({ state: 'detached' });
    await view.expectNoViolations();
    await host.startAgent();
    await view.page.locator('.banner').waitFor({ state: 'detached' });
    for (const name of ['Pause all', 'Pause GPU 0']) await button(view, name).waitFor();
    expect(await view.page.evaluate('window.isSamePage')).toBe(true);
  });

  test('keeps no stream open while nobody sees it', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    await button(view, 'Pause GPU 0').waitFor();
    const streams = (): number => view.requests.filter((path) => path.startsWith('/api/live')).length;
    const before = streams();
    const setVisibility = (state: string): Promise<unknown> =>
      view.page.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
         document.dispatchEvent(new Event('visibilitychange'));`,
      );
    await setVisibility('hidden');
    host.addRun({ code: ENDLESS });
    await expect.poll(() => host.log.join('')).toContain('job-started');
    expect(await view.page.locator('.gpu-job').count()).toBe(0);
    await setVisibility('visible');
    await view.page.locator('.gpu-job').waitFor();
    expect(streams()).toBe(before + 1);
  });

  test('has no controls in a session for looking only, and says so', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const site = { origin: host.origin, signIn: async () => undefined };
    const view = await browser.open(site, new URL((await host.link({ readOnly: true })).url).hash);
    await view.page.getByText('read-only').waitFor();
    await view.page.locator('.gpu').waitFor();
    expect(await view.page.locator('.gpu button').count()).toBe(0);
    expect(await view.page.getByRole('button', { name: /Pause|Resume/ }).count()).toBe(0);
    await button(view, 'More for everything').click();
    await view.page.getByRole('dialog').getByText('sharedcloud-agent page').waitFor();
    await view.expectNoViolations();
  });

  test('asks those who have not signed in to do so, and lets them out again', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    view.expectErrors(/401|ERR_INCOMPLETE/);
    await button(view, 'More for everything').click();
    await button(view, 'Sign out').click();
    await view.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await view.untilShown('sharedcloud-agent page');
    await view.expectNoViolations();
    await view.goTo('#/market');
    await view.page.reload();
    await view.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await view.page.locator('nav').count()).toBe(0);
  });

  test('lets in those who know the password, where there is one, and stays where it was wrong', async () => {
    const file = join(scratchDir(), 'password');
    await writeFile(file, 'correct horse battery', { mode: 0o600 });
    const host = await PageHost.open({ gpus: ONE, env: { SHAREDCLOUD_LISTEN_PASSWORD_FILE: file } });
    const view = await browser.open(host, '#/', { width: 360, height: 640, signedOut: true });
    view.expectErrors(/401/);
    const password = view.page.getByLabel('password');
    await password.fill('wrong');
    await button(view, 'Sign in').click();
    await view.page.locator('.failure').waitFor();
    expect(await view.page.locator('nav').count()).toBe(0);
    await password.fill('correct horse battery');
    await button(view, 'Sign in').click();
    await button(view, 'Pause GPU 0').waitFor();
  });

  test('asks nobody for a password that there is not', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host, '#/', { width: 360, height: 640, signedOut: true });
    view.expectErrors(/401/);
    await view.page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
    expect(await view.page.getByLabel('password').count()).toBe(0);
  });

  test('shows what strangers wrote as text', async () => {
    const markup = '<img src=x onerror="window.isHit=true"><b>';
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    view.expectErrors(/400/);
    await view.page.route('**/api/pause', (route) =>
      route.fulfill({
        status: 400,
        json: { error: { code: 'TIME_INVALID', message: markup, hint: markup } },
      }),
    );
    host.addRun({ code: ENDLESS, name: markup });
    await view.page.locator('.gpu-job').getByText(markup).waitFor();
    await button(view, 'Pause GPU 0').click();
    await view.page.getByRole('button', { name: '1 hr' }).click();
    await view.page.locator('.failure').waitFor();
    expect(await view.page.locator('main img, main b, dialog img, dialog b').count()).toBe(0);
    expect(await view.page.evaluate('window.isHit')).toBeUndefined();
  });

  test('is a large view without controls on a wall, in the dark too', async () => {
    const host = await PageHost.open({ gpus: TWO });
    for (const scheme of ['light', 'dark'] as const) {
      const view = await browser.open(host, '', { width: 1280, height: 720, scheme });
      await button(view, 'Pause GPU 0').waitFor();
      await view.expectNoViolations();
      await view.page.goto(`${host.origin}/?view=kiosk`);
      await view.page.locator('.gpu').first().waitFor();
      expect(await view.page.getByRole('button').count()).toBe(0);
      await view.expectNoViolations();
      await view.expectNoSidewaysScroll();
    }
  });

  test('names jobs on a wall without leading anywhere', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    host.addRun({ code: ENDLESS, name: 'resize-images' });
    await view.page.locator('.gpu-job').getByRole('link', { name: 'resize-images' }).waitFor();
    await view.page.goto(`${host.origin}/?view=kiosk`);
    await view.page.locator('.gpu-job').getByText('resize-images').waitFor();
    expect(await view.page.getByRole('link').count()).toBe(0);
  });

  test('shows every kind of end of the day’s jobs, uncut', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    view.expectErrors(/ERR_/);
    const jobs = { succeeded: 1234, failed: 1111, timeout: 1222, released: 1333, cancelled: 1444 };
    const cost = { powerCost: 1_234.56, net: 11_111.11, unpricedJobs: 3 };
    const today = { ...aStatus().today, since: NOON, earned: 12_345.67, jobs, ...cost };
    const status = z.encode(STATUS, aStatus({ today }));
    await view.page.route('**/api/live?*', (route) => route.abort());
    await view.page.route('**/api/status', (route) => route.fulfill({ json: status }));
    for (const [width, path] of [
      [360, '/'],
      [1440, '/'],
      [1280, '/?view=kiosk'],
    ] as const) {
      await view.page.setViewportSize({ width, height: 640 });
      await view.page.goto(`${host.origin}${path}`);
      const figures = view.page.locator('.today dd');
      await figures.getByText('1,222 timed out').waitFor();
      await figures.getByText('at most $11,111.11').waitFor();
      const cut = (elements: readonly { scrollWidth: number; clientWidth: number; textContent: string }[]) =>
        elements.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent);
      expect([width, await figures.evaluateAll(cut)]).toEqual([width, []]);
      await view.expectNoSidewaysScroll();
    }
  });

  test('can be used by the keyboard alone', async () => {
    const host = await PageHost.open({ gpus: ONE });
    const view = await browser.open(host);
    const { keyboard } = view.page;
    await button(view, 'Pause GPU 0').focus();
    await keyboard.press('Enter');
    await view.page.getByRole('dialog').waitFor();
    await keyboard.press('Escape');
    await view.page.getByRole('dialog').waitFor({ state: 'detached' });
    const focused = 'document.activeElement?.getAttribute("aria-label")';
    expect(await view.page.evaluate(focused)).toBe('Pause GPU 0');
    await view.goTo('#/jobs');
    await expect.poll(() => view.page.evaluate('document.activeElement?.tagName')).toBe('H1');
  });
});
