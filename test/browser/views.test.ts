import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type {
  Backtest,
  Earnings,
  History,
  JobRow,
  Jobs,
  Market,
  Prices,
  Sums,
} from '../../src/web/answers.ts';
import { describeBrowser } from '../support/browser/describe.ts';
import { PageHost } from '../support/browser/page-host.ts';

const MINUTE = 60_000;
const HOSTILE = '<img src=x onerror="window.harmed=1">';
const DESK = { width: 1440, height: 900 };

/** Answers a path of the API in place of the agent. */
async function answer(page: Page, path: string, by: (query: URLSearchParams) => object): Promise<void> {
  await page.route(
    (url) => url.pathname === path,
    (route) =>
      route.fulfill({
        json: { schema: 1, version: '0.0.0', ...by(new URL(route.request().url()).searchParams) },
      }),
  );
}

function history(query: URLSearchParams): History {
  const to = Date.parse(query.get('to') ?? '');
  const points = [30, 29, 10].map((minutes, index) => ({
    at: new Date(to - minutes * MINUTE).toISOString(),
    utilizationPercent: 50,
    memoryUsedMiB: 2048,
    temperatureC: null,
    powerW: 100 + index,
  }));
  return { span: 'minute', stepMs: MINUTE, gpus: [{ gpu: 'GPU-1', name: 'RTX 3090', points }] };
}

function backtest(query: URLSearchParams): Backtest {
  const range = (low: number, median: number, high: number) => ({ low, median, high });
  const ask = {
    ask: Number(query.get('ask')?.split(',')[1]),
    inForce: true,
    earnedMicroDollars: range(3_100_000, 3_900_000, 4_600_000),
    netMicroDollars: null,
    jobs: range(40, 44, 51),
    busyShare: range(0.2, 0.25, 0.29),
    extrapolatedShare: 0.31,
  };
  const head = { slots: 1, askNow: 0.05, floor: null };
  return {
    from: '2026-11-20T00:00:00.000Z',
    until: '2026-11-27T00:00:00.000Z',
    offers: [
      {
        ...head,
        offer: HOSTILE,
        refused: null,
        figures: {
          coverage: 0.93,
          ownJobs: 57,
          earnedMicroDollars: 2_950_000,
          replayedMicroDollars: 2_970_000,
          runs: 800,
          draws: 40,
          asks: [ask],
          walkForward: {
            days: 6,
            chosenMicroDollars: 3_000_000,
            lastAsk: 0.08,
            askNowMicroDollars: 2_100_000,
            floorMicroDollars: null,
          },
        },
      },
      {
        ...head,
        offer: 'cpu',
        figures: null,
        refused: { code: 'BACKTEST_TOO_LITTLE', message: 'few jobs', hint: 'wait' },
      },
    ],
  };
}

const SUMS: Sums = {
  jobs: 1,
  confirmedMicroDollars: 1_250_000,
  pendingJobs: 1,
  pendingMicroDollars: 500_000,
  endedJobs: 2,
  energyJoules: 1_800_000,
  unmeasuredJobs: 0,
  estimatedJobs: 1,
  powerCostMicroDollars: 20_000,
  netMicroDollars: 1_230_000,
  unpricedJobs: 1,
};

const ASKED: Prices['offers'][number] = {
  offer: 'gpu:RTX 3090',
  ask: 0.05,
  strategy: 'decay',
  start: 0.04,
  min: null,
  max: 0.1,
  floor: 0.01,
  since: '2026-11-26T00:00:00.000Z',
  reason: 'idle',
  why: 'no job for four hours',
  hold: null,
  holdWhy: null,
  nextChangeAt: '2026-11-27T12:00:00.000Z',
  terms: {},
};

function earnings(): Earnings {
  const gpus = [{ gpu: 'GPU-1', name: 'RTX 3090', earned: 1.25, jobs: 1 }];
  const since = '2026-11-26T00:00:00.000Z';
  return {
    timeZone: 'UTC',
    today: '2026-11-27',
    days: [{ day: '2026-11-26', since, earned: 1.25, jobs: 1, gpus }],
    by: 'day',
    from: '2026-11-26',
    until: '2026-11-27',
    rows: [
      { key: '2026-11-26', name: '2026-11-26', ...SUMS },
      { key: '2026-11-27', name: '2026-11-27', ...SUMS, confirmedMicroDollars: 0, netMicroDollars: -20_000 },
    ],
    total: { ...SUMS, netMicroDollars: 1_210_000, powerCostMicroDollars: 40_000 },
    idle: { ms: 1, energyJoules: 360_000, powerCostMicroDollars: 30_000 },
  };
}

function aJob(index: number): JobRow {
  const at = new Date(Date.UTC(2026, 10, 27) - index * MINUTE).toISOString();
  return {
    job: `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`,
    run: 'run',
    function: `${HOSTILE} ${index}`,
    offer: 'RTX 3090',
    gpu: null,
    image: 'image',
    state: 'reported',
    outcome: 'succeeded',
    why: null,
    durationMs: MINUTE,
    askPrice: 0.1,
    earned: 0.1,
    sentBytes: null,
    receivedBytes: null,
    address: null,
    claimedAt: at,
    updatedAt: at,
  };
}

function jobs(query: URLSearchParams): Jobs {
  const start = 1000 - Number(query.get('before') ?? 1000);
  const end = Math.min(start + Number(query.get('limit') ?? 50), 1000);
  const listed = Array.from({ length: end - start }, (_none, index) => aJob(start + index));
  return { jobs: listed, next: end < 1000 ? 1000 - end : null };
}

function market(): Market {
  const run = (name: string, bid: number, what: string | null): Market['runs'][number] => ({
    run: name,
    function: `${HOSTILE} ${name}`,
    image: null,
    bid,
    openJobs: 1,
    createdAt: null,
    verdicts: [{ offer: 'RTX 3090', reason: what === null ? null : 'bid-below-ask', what }],
  });
  return {
    at: new Date().toISOString(),
    runs: [run('low', 0.03, 'the bid is below the ask: 0.03 of 0.05'), run('high', 0.5, null)],
    leftOut: 0,
    skipped: [{ offer: 'RTX 3090', reason: 'bid-below-ask', runs: 1 }],
  };
}

describeBrowser('the views of the page', (browser) => {
  test('plots are read by keyboard, and have the same figures in a table', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', DESK);
    const { page } = view;
    await answer(page, '/api/history', history);
    await answer(page, '/api/earnings', earnings);
    await view.goTo('');
    const plot = page.locator('figure', { hasText: 'Power (W)' });
    const slider = plot.getByRole('slider');
    await slider.focus();
    await slider.press('Home');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toContain('100 W');
    await slider.press('ArrowRight');
    await slider.press('ArrowRight');
    await expect.poll(() => slider.getAttribute('aria-valuetext')).toContain('not measured');
    await plot.locator('summary').click();
    await plot.locator('td').first().waitFor();
    expect(await plot.locator('td').allInnerTexts()).toEqual(['102 W', '–', '101 W', '100 W']);
    await page.locator('canvas').first().waitFor();
    const earned = page.locator('figure', { hasText: 'Earned per day' });
    await earned.locator('summary').click();
    await earned.locator('td').first().waitFor();
    expect((await earned.locator('tbody tr').allInnerTexts())[1]).toContain('$1.25');
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('money is shown by day, newest first, and by what else is chosen', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', DESK);
    const { page } = view;
    const asked: (string | null)[] = [];
    await page.route('**/api/earnings?*', async (route) => {
      const by = new URL(route.request().url()).searchParams.get('by');
      asked.push(by);
      const { rows, ...rest } = earnings();
      const named = rows.map((row) => ({ ...row, name: HOSTILE }));
      await route.fulfill({ json: by === 'function' ? { ...rest, by, rows: named } : earnings() });
    });
    const bodies: string[] = [];
    let frozen: Prices['frozen'] = null;
    await answer(page, '/api/prices', () => ({ frozen, offers: [ASKED], changes: [] }));
    await page.route('**/api/prices/freeze', async (route) => {
      bodies.push(route.request().postData() ?? '');
      frozen = { at: new Date().toISOString(), by: 'owner', note: null };
      await route.fulfill({ json: { changed: true, frozen } });
    });
    await view.goTo('#/money');
    const row = page.locator('.view-money tbody tr');
    await expect.poll(() => row.count()).toBe(2);
    expect(await row.first().locator('td').allInnerTexts()).toEqual([
      '$0.00',
      '≤ -$0.0200',
      '$0.0200',
      '$0.50',
      '1',
      '~ 0.500 kWh',
    ]);
    expect(await page.locator('.sums dd').allInnerTexts()).toEqual([
      '$1.25',
      '$0.50',
      '$0.0400',
      '≤ $1.21',
      '~ 0.500 kWh',
      '1',
    ]);
    await page.getByText('Function', { exact: true }).click();
    await expect.poll(() => row.first().locator('th').innerText()).toContain(HOSTILE.slice(0, 4));
    expect(asked).toEqual(['day', 'function']);
    expect(await page.locator('.asks li').innerText()).toContain('$0.05');
    await page.getByRole('button', { name: 'Stop all changes' }).click();
    await page.getByRole('button', { name: 'Allow changes' }).waitFor();
    expect(bodies).toEqual(['{}']);
    expect(new URL(page.url()).hash).toContain('by=function');
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('sums of money are uncut on a phone', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', { width: 360, height: 640 });
    const { page } = view;
    const total = { ...SUMS, confirmedMicroDollars: 112_345_670_000, energyJoules: 29_900_000_000 };
    await answer(page, '/api/earnings', () => ({ ...earnings(), total }));
    await view.goTo('#/money');
    const figures = page.locator('.sums dd');
    await figures.getByText('$112,345.67').waitFor();
    const cut = (elements: readonly { scrollWidth: number; clientWidth: number; textContent: string }[]) =>
      elements.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent);
    expect(await figures.evaluateAll(cut)).toEqual([]);
    await view.expectNoSidewaysScroll();
  });

  test('a place that was chosen by keyboard stays when the plot is drawn, and drawn again', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', DESK);
    const { page } = view;
    await answer(page, '/api/history', history);
    await answer(page, '/api/earnings', earnings);
    const { promise: isChosen, resolve: chosen } = Promise.withResolvers<void>();
    await page.route('**/page/lib/uplot.js', async (route) => {
      await isChosen;
      await route.continue();
    });
    await view.goTo('');
    const plot = page.locator('figure', { hasText: 'Power (W)' });
    const slider = plot.getByRole('slider');
    await slider.focus();
    await slider.press('Home');
    await slider.press('ArrowRight');
    const place = (): Promise<string | null> => slider.getAttribute('aria-valuenow');
    expect(await place()).toBe('1');
    chosen();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await plot.locator('canvas').waitFor();
      // The library reports a new place with the next frame.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      expect(await place()).toBe('1');
    }
  });

  test('plots whose library cannot be loaded are tables, until it can', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs', DESK);
    view.expectErrors(/ERR_FAILED/);
    const { page } = view;
    await answer(page, '/api/history', history);
    await answer(page, '/api/earnings', earnings);
    await page.route('**/page/lib/uplot.js', (route) => route.abort());
    await view.goTo('');
    const plot = page.locator('figure', { hasText: 'Power (W)' });
    await plot.scrollIntoViewIfNeeded();
    await expect.poll(() => plot.locator('td').allInnerTexts()).toEqual(['102 W', '–', '101 W', '100 W']);
    await view.expectNoViolations();
    await page.unroute('**/page/lib/uplot.js');
    await plot.getByRole('button', { name: 'Try again' }).click();
    await page.locator('canvas').first().waitFor();
  });

  test('a thousand jobs are loaded as one scrolls, and only those in view are drawn', async () => {
    const view = await browser.open(await PageHost.open(), '#/settings');
    view.expectErrors(/404/);
    const { page } = view;
    await answer(page, '/api/jobs', jobs);
    await view.goTo('#/jobs');
    const rows = page.locator('.job-row');
    await rows.first().waitFor();
    await view.expectNoViolations();
    await expect
      .poll(async () => {
        await page.evaluate('scrollTo(0, document.body.scrollHeight)');
        return rows.count();
      })
      .toBe(1000);
    const drawn = await page.evaluate(
      '[...document.querySelectorAll(".job-row")].filter((row) => row.firstElementChild.checkVisibility({ contentVisibilityAuto: true })).length',
    );
    expect(drawn).toBeLessThan(200);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    await view.expectNoSidewaysScroll();
  });

  test('a job’s name and output are text, with its control characters shown', async () => {
    const host = await PageHost.open();
    const view = await browser.open(host, '#/jobs');
    const code = `exports.handler = () => { console.log(${JSON.stringify(`${HOSTILE}\u001b[31m`)}); return 1; };`;
    host.addRun({ code, name: HOSTILE });
    const { page } = view;
    await page.locator('.row-link').first().click();
    await page.getByText(`${HOSTILE}\\u{1b}[31m`, { exact: true }).waitFor();
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('the market says why a run is not taken, and can list only what would be', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs');
    const { page } = view;
    await answer(page, '/api/market', market);
    await view.goTo('#/market');
    await view.untilShown('the bid is below the ask: 0.03 of 0.05');
    expect(await page.locator('.run-bid').allInnerTexts()).toEqual(['$0.50 per minute', '$0.03 per minute']);
    await page.getByLabel('Only what would be taken').check();
    await expect.poll(() => page.locator('.run-row').count()).toBe(1);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('the market shows what other asks would have earned, or why that is not known', async () => {
    const view = await browser.open(await PageHost.open(), '#/jobs');
    const { page } = view;
    await answer(page, '/api/market', market);
    await answer(page, '/api/backtest', backtest);
    await view.goTo('#/market');
    await page.getByLabel('Asks in dollars per minute').fill('0.03, 0.08');
    await page.getByRole('button', { name: 'Replay' }).click();
    await view.untilShown('$3.10 to $4.60');
    await view.untilShown('few jobs');
    expect(await page.locator('.backtest-plot li').count()).toBe(1);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });

  test('events are searched, and show their fields on demand', async () => {
    const view = await browser.open(await PageHost.open(), '#/events');
    const { page } = view;
    await page.getByLabel('Search').fill('offer-registered');
    await expect.poll(() => page.locator('.event-row').count()).toBe(1);
    await page.locator('.event-row summary').focus();
    await page.keyboard.press('Enter');
    await page.locator('.event-row .facts').waitFor();
    await view.expectNoViolations();
    await view.expectNoSidewaysScroll();
  });
});
