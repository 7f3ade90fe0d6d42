import { type Browser, chromium } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { keepEvidence } from './evidence.ts';
import { ENOUGH_FOR_A_PHONE, type Sight, View } from './view.ts';

/** Debian's browser, the only one that the tests use. */
export const CHROMIUM = '/usr/bin/chromium';

/** What a page is opened from. */
export type Site = {
  /** The page's address without a path: `http://127.0.0.1:20123`. */
  readonly origin: string;
  /** Opens a session in this browser window, so that what is opened next may see everything. */
  signIn(view: View): Promise<void>;
};

/** One browser for all tests of a suite; each opens windows of its own, which share nothing. */
export class TestBrowser {
  #launched: Promise<Browser> | undefined;

  /**
   * Opens a view, such as `#/jobs`, in a window of its own that ends with the test. The test fails where the page asks
   * anywhere but its own origin, logs an error, or throws one; a failed test leaves a screenshot and says where.
   */
  async open(site: Site, hash = '#/', sight: Sight = ENOUGH_FOR_A_PHONE): Promise<View> {
    this.#launched ??= chromium.launch({
      executablePath: CHROMIUM,
      // Root cannot use the sandbox, and what is opened is our own page.
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    });
    const { height, locale = 'en-US', scheme = 'light', timezone = 'UTC', width } = sight;
    const browser = await this.#launched;
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: 'reduce',
      locale,
      timezoneId: timezone,
    });
    const view = new View(await context.newPage(), site.origin);
    onTestFinished(async ({ task }) => {
      const { problems } = view;
      if (task.result?.state === 'fail' || problems.length > 0) await keepEvidence(view, task.name);
      await context.close();
      if (problems.length > 0) throw new Error(problems.join('\n'));
    });
    if (!sight.signedOut) await site.signIn(view);
    await view.goTo(hash);
    return view;
  }

  async close(): Promise<void> {
    await (await this.#launched)?.close();
  }
}
