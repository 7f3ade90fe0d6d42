/*
 * `npm run pictures` makes the pictures of the README again, from the dry run: docs/pictures. `-- --all DIR` instead takes
 * every view at three widths, light and dark, to be looked at. Needs Debian's chromium.
 */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { type Browser, chromium, type Page } from 'playwright-core';
import { runProgram } from '../src/lib/process.ts';

const ROOT = resolve(import.meta.dirname, '..');
const MAIN = [join(ROOT, 'src/main.ts')] as const;
/** By then jobs have run, ended and failed. */
const SETTLE_MS = 32_000;

const VIEWS = {
  now: '#/',
  jobs: '#/jobs',
  money: '#/money',
  market: '#/market',
  events: '#/events',
  settings: '#/settings',
} as const;
const WIDTHS = [
  [360, 640],
  [768, 1024],
  [1440, 900],
] as const;
const SCHEMES = ['light', 'dark'] as const;

const { values } = parseArgs({ options: { all: { type: 'string' } } });
await using dryRun = await startDryRun();
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
});
try {
  await delay(SETTLE_MS);
  if (values.all === undefined) await forReadme(browser);
  else await all(browser, resolve(values.all));
} finally {
  await browser.close();
}

/** What the README shows; small enough to be loaded by everybody. */
async function forReadme(browser: Browser): Promise<void> {
  const directory = join(ROOT, 'docs/pictures');
  await mkdir(directory, { recursive: true });
  for (const scheme of SCHEMES) {
    const page = await signIn(browser, { width: 1_100, height: 760, scheme });
    await page.screenshot({ path: join(directory, `page-${scheme}.png`) });
    await page.context().close();
  }
  const phone = await signIn(browser, { width: 360, height: 640, scheme: 'light' });
  await phone.screenshot({ path: join(directory, 'page-phone.png') });
  await phone.context().close();
  await terminal(browser, join(directory, 'terminal.png'));
}

async function all(browser: Browser, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [width, height] of WIDTHS)
    for (const scheme of SCHEMES) {
      const page = await signIn(browser, { width, height, scheme });
      const job = await page.evaluate(
        "document.querySelector('a[href^=\"#/jobs/\"]')?.getAttribute('href') ?? '#/jobs'",
      );
      const views = { ...VIEWS, job: String(job), kiosk: '?view=kiosk' };
      for (const [name, place] of Object.entries(views)) {
        await page.goto(new URL(place, page.url().replace(/[?#].*/, '')).href);
        await delay(1_500);
        // Plots are drawn once they come into sight.
        for (const plot of await page.locator('.plot-frame').all()) await plot.scrollIntoViewIfNeeded();
        await page.evaluate('scrollTo(0, 0)');
        await delay(500);
        await page.screenshot({ path: join(directory, `${name}-${width}-${scheme}.png`), fullPage: true });
      }
      await page.context().close();
    }
}

async function signIn(
  browser: Browser,
  sight: { readonly width: number; readonly height: number; readonly scheme: 'light' | 'dark' },
): Promise<Page> {
  const { height, scheme, width } = sight;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  await page.goto((await dryRun.command('page')).trim());
  await page.getByRole('heading', { level: 1 }).waitFor();
  await delay(2_500);
  return page;
}

/** The agent's `status` as a terminal shows it. */
async function terminal(browser: Browser, path: string): Promise<void> {
  const text = stripVTControlCharacters(await dryRun.command('status')).trimEnd();
  const page = await browser.newPage({ viewport: { width: 760, height: 300 } });
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  await page.setContent(`<body style="margin:0;background:#16181d;color:#d7dae0">
    <pre style="display:inline-block;margin:0;padding:18px 22px;font:14px/1.4 monospace"><b style="color:#7fd08a">$</b> sharedcloud-agent status\n\n${escaped}</pre></body>`);
  await page.locator('pre').screenshot({ path });
  await page.close();
}

/** A dry run with its page at a free port, and what runs the agent's commands against it. */
async function startDryRun() {
  const child = spawn(process.execPath, [...MAIN, 'dry-run', '--serve', '--listen', '127.0.0.1:0'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  let said = '';
  const stateDir = await new Promise<string>((found, failed) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, directory] = /--state-dir (\S+)/.exec(said) ?? [];
      if (directory !== undefined) found(directory);
    });
    child.once('close', () => failed(new Error(`the dry run has ended: ${said}`)));
  });
  return {
    command: async (name: string): Promise<string> => {
      const args = [...MAIN, name, '--state-dir', stateDir];
      const { stdout } = await runProgram(process.execPath, args, { deadlineMs: 30_000 });
      return stdout;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGINT');
      await ended;
    },
  };
}
