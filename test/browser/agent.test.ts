import { expect, test } from 'vitest';
import { aSample } from '../support/agent/manual-sampler.ts';
import { describeBrowser } from '../support/browser/describe.ts';
import { PageHost } from '../support/browser/page-host.ts';

/** Prints a line every tenth of a second, for as long as a test lasts. */
const TALKS = `async function handler() {
  for (let line = 1; line < 600; line++) {
    console.log('line number ' + line)
    await new Promise((done) => setTimeout(done, 100))
  }
}`;

const PHONE = { width: 360, height: 640 };
const VIEWS = ['#/', '#/jobs', '#/market', '#/events', '#/settings'];

describeBrowser('the page of a running agent', (browser) => {
  test('shows new figures and new jobs by itself', async () => {
    const host = await PageHost.open();
    host.samples.give(aSample({ uuid: 'GPU-1', at: Date.now(), powerW: 31, temperatureC: 41 }));
    const view = await browser.open(host);
    await view.untilShown(/31 W/);
    host.samples.give(aSample({ uuid: 'GPU-1', at: Date.now(), powerW: 62, temperatureC: 55 }));
    await view.untilShown(/62 W/);
    host.addRun({ code: TALKS, name: 'talks' });
    await view.untilShown('talks');
    expect(view.requests.filter((path) => path === '/page/main.js')).toHaveLength(1);
  });

  test('shows what a job prints while it prints it', async () => {
    const host = await PageHost.open();
    const run = host.addRun({ code: TALKS, name: 'talks' });
    await expect.poll(() => host.jobsOf(run)[0]?.instance).toBeTruthy();
    const view = await browser.open(host, `#/jobs/${host.jobsOf(run)[0]?.uuid}`);
    const output = view.page.getByLabel('Output of the job');
    await expect.poll(() => output.innerText()).toContain('line number 1');
    const before = await output.innerText();
    await expect.poll(() => output.innerText()).not.toBe(before);
    await view.expectNoViolations();
  });

  test('takes the offer off the market at the broker by a pause', async () => {
    const host = await PageHost.open();
    await expect.poll(() => host.offers().some(({ available }) => available)).toBe(true);
    const view = await browser.open(host);
    await view.page
      .getByRole('button', { name: /^Pause/ })
      .first()
      .click();
    const dialog = view.page.getByRole('dialog');
    await dialog.locator('.choices button').first().click();
    await expect.poll(() => host.offers().some(({ available }) => available)).toBe(false);
    await view.page
      .getByRole('button', { name: /^Resume/ })
      .first()
      .click();
    await expect.poll(() => host.offers().some(({ available }) => available)).toBe(true);
  });

  test('continues by itself after the agent was started again', async () => {
    const host = await PageHost.open();
    const view = await browser.open(host);
    await view.untilShown(/NVIDIA T4/);
    view.expectErrors(/ERR_|Failed to load resource/);
    await host.stopAgent();
    host.addRun({ code: TALKS, name: 'after-the-restart' });
    await host.startAgent();
    await view.untilShown('after-the-restart');
    expect(view.requests.filter((path) => path === '/page/main.js')).toHaveLength(1);
  });

  test.each(['light', 'dark'] as const)('can be used by everybody in every view, %s', async (scheme) => {
    const host = await PageHost.open();
    const run = host.addRun({ code: `function handler() { console.log('done') }`, name: 'short' });
    await expect.poll(() => host.jobsOf(run)[0]?.cost).toBeTypeOf('number');
    const view = await browser.open(host, '#/', { ...PHONE, scheme });
    for (const hash of [...VIEWS, `#/jobs/${host.jobsOf(run)[0]?.uuid}`]) {
      await view.goTo(hash);
      await view.page.getByRole('heading', { level: 1 }).waitFor();
      await view.page.waitForLoadState('networkidle', { timeout: 500 }).catch(() => undefined);
      await view.expectNoViolations();
      await view.expectNoSidewaysScroll();
    }
  });
});
