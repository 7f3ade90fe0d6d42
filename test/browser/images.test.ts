import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Images } from '../../src/web/answers.ts';
import { describeBrowser } from '../support/browser/describe.ts';
import { PageHost } from '../support/browser/page-host.ts';

const HOSTILE = '<img src=x onerror="window.harmed=1">';
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 640 };

/** Answers for the agent, whose jobs run in no containers here; with as many images as an owner may have. */
async function answerImages(page: Page): Promise<{ readonly bodies: string[] }> {
  const bodies: string[] = [];
  const pins: { ref: string; at: string; by: string }[] = [{ ref: 'rust:1', at: AT, by: 'owner' }];
  await page.route('**/api/images', (route) =>
    route.fulfill({ json: { schema: 1, version: '0.0.0', ...imagesWith(pins) } }),
  );
  await page.route('**/api/images/*', async (route) => {
    const path = new URL(route.request().url()).pathname;
    bodies.push(`${path} ${route.request().postData()}`);
    if (path.endsWith('unpin')) pins.pop();
    else pins.push({ ref: FIRST, at: AT, by: 'owner' });
    await route.fulfill({ json: { schema: 1, version: '0.0.0', changed: true, pins } });
  });
  return { bodies };
}

const AT = '2026-11-27T09:00:00.000Z';
const FIRST = 'pytorch/pytorch:2.9.1-cuda13.0-cudnn9-runtime';

function imagesWith(pins: Images['pins']): Images {
  const pinned = pins.some(({ ref }) => ref === FIRST);
  const names = [
    FIRST,
    HOSTILE,
    ...Array.from({ length: 9 }, (_, index) => `sharedcloud/gpu-${index}:latest`),
  ];
  const images = names.map((name, index) => ({
    id: `sha256:${String(index).repeat(64).slice(0, 64)}`,
    names: [name],
    sizeBytes: (12 - index) * 1e9,
    ownBytes: (11 - index) * 1e9,
    valuePerDayMicroDollars: index > 3 ? 0 : 1_230_000 / (index + 1),
    pulledAt: index % 3 === 1 ? null : AT,
    usedAt: index > 5 ? null : AT,
    pinned: index === 0 && pinned,
    ...(index === 0 && pinned
      ? { keep: 'pinned', why: 'it is pinned' }
      : index % 3 === 1
        ? { keep: 'owners-image', why: 'the agent did not pull it' }
        : { keep: null, why: null }),
  }));
  return { disk: { usedBytes: 432e9, totalBytes: 500e9, high: 0.85, low: 0.8 }, images, pins };
}

describeBrowser('images', (browser) => {
  test('are shown with why they stay, and are pinned and unpinned', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', DESK);
    const { page } = view;
    const { bodies } = await answerImages(page);
    await view.goTo('#/money');
    const cards = page.locator('.images li');
    await expect.poll(() => cards.count()).toBe(6);
    expect(await cards.first().innerText()).toContain('$1.23');
    expect(await page.locator('.images-disk [role=meter]').getAttribute('aria-valuetext')).toContain('432');
    await page.getByRole('button', { name: `Pin ${FIRST}` }).click();
    await page.getByRole('button', { name: `Unpin ${FIRST}` }).click();
    await page.getByRole('button', { name: `Pin ${FIRST}` }).waitFor();
    expect(bodies).toEqual([
      `/api/images/pin {"image":"${FIRST}"}`,
      `/api/images/unpin {"image":"${FIRST}"}`,
    ]);
    await page.getByRole('button', { name: /^Show/ }).click();
    await expect.poll(() => cards.count()).toBe(11);
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('fit on a phone', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', PHONE);
    await answerImages(view.page);
    await view.goTo('#/money');
    await expect.poll(() => view.page.locator('.images li').count()).toBe(6);
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('are not shown where jobs run in no containers', async () => {
    const view = await browser.open(await PageHost.open(), '#/money', DESK);
    await view.page.locator('.asks').waitFor();
    await view.page.locator('#asks-title').waitFor();
    expect(await view.page.locator('#images-title').count()).toBe(0);
  });
});
