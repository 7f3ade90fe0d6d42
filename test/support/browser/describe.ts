/* oxlint-disable vitest/valid-describe-callback, vitest/valid-title -- this file decides whether suites run. */
import { existsSync } from 'node:fs';
import { afterAll, describe } from 'vitest';
import { leaveOut } from '../leave-out.ts';
import { CHROMIUM, TestBrowser } from './test-browser.ts';

/** A suite that needs a browser; without one it is skipped under a name that says why, and fails where CI=true. */
export function describeBrowser(name: string, body: (browser: TestBrowser) => void): void {
  if (!existsSync(CHROMIUM)) return leaveOut(name, `there is no ${CHROMIUM}`);
  describe(name, () => {
    const browser = new TestBrowser();
    afterAll(() => browser.close());
    body(browser);
  });
}
