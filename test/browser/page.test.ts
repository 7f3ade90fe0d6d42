import { expect, test } from 'vitest';
import { describeBrowser } from '../support/browser/describe.ts';
import { PageHost } from '../support/browser/page-host.ts';

describeBrowser('the status page', (browser) => {
  test('loads from its own origin alone, without an error', async () => {
    const host = await PageHost.open();
    const view = await browser.open(host);
    await view.page.getByRole('heading', { level: 1 }).waitFor();
    await view.page.waitForLoadState('load');
    expect(view.requests).toContain('/page/main.js');
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });
});
