import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { z } from 'zod';

/** How a page is looked at. */
export type Sight = {
  readonly width: number;
  readonly height: number;
  readonly scheme?: 'light' | 'dark';
  readonly locale?: string;
  readonly timezone?: string;
  /** Without a session. */
  readonly signedOut?: true;
};

/** The smallest window that everything important has to fit in. */
export const ENOUGH_FOR_A_PHONE: Sight = { width: 360, height: 640 };

const AXE = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));
const VIOLATIONS = z.array(
  z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

/** A browser's window with the page in it. `page` is Playwright's. */
export class View {
  readonly page: Page;
  readonly origin: string;
  /** The path of every request so far, with its query. */
  readonly requests: string[] = [];
  readonly #problems: string[] = [];
  readonly #expected: RegExp[] = [];

  constructor(page: Page, origin: string) {
    this.page = page;
    this.origin = origin;
    page.context().on('request', (request) => {
      const { origin, pathname, protocol, search } = new URL(request.url());
      if (protocol === 'data:' || protocol === 'blob:') return;
      if (origin === this.origin) this.requests.push(`${pathname}${search}`);
      else this.#problems.push(`asked elsewhere: ${request.url()}`);
    });
    page.on('pageerror', (error) => this.#problems.push(`threw ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      this.#problems.push(`logged ${message.text()} (${message.location().url})`);
    });
    page.on('crash', () => this.#problems.push('crashed'));
  }

  /** What went wrong in the page and was not to be expected. */
  get problems(): readonly string[] {
    return this.#problems.filter((problem) => !this.#expected.some((pattern) => pattern.test(problem)));
  }

  /** Errors like this are part of the test: an agent that ends breaks connections. */
  expectErrors(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Goes to a view: `#/market`. Loads the page if it is not there yet. */
  async goTo(hash: string): Promise<void> {
    await this.page.goto(`${this.origin}/${hash}`);
  }

  /** Waits until the page shows this text. */
  async untilShown(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** All text that the page shows. */
  text(): Promise<string> {
    return this.page.locator('body').innerText();
  }

  /** Fails unless everybody can use what is shown: axe finds nothing. */
  async expectNoViolations(): Promise<void> {
    await this.page.evaluate(await readFile(AXE, 'utf8'));
    const found: unknown = await this.page.evaluate('axe.run().then(({ violations }) => violations)');
    const violations = VIOLATIONS.parse(found).map(
      ({ help, id, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join('; ')}`,
    );
    if (violations.length > 0) throw new Error(violations.join('\n'));
  }

  /** Fails if the page is wider than its window, so that one would have to scroll sideways. */
  async expectNoSidewaysScroll(): Promise<void> {
    const [content, window] = z
      .tuple([z.number(), z.number()])
      .parse(await this.page.evaluate('[document.documentElement.scrollWidth, innerWidth]'));
    if (content > window) throw new Error(`the page is ${content} pixels wide, in a window of ${window}`);
  }
}
