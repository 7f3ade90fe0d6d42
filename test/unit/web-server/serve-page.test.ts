import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { type ServedPage, servePage } from '../../../src/web-server/serve-page.ts';
import { SessionStore } from '../../../src/web-server/session-store.ts';
import { Sessions } from '../../../src/web-server/sessions.ts';
import { scratchDir } from '../../support/journal/scratch.ts';

/** A page whose parts cannot be had `failures` times. */
async function served(failures = 0): Promise<string> {
  return `http://127.0.0.1:${(await serve(failures)).port}`;
}

async function serve(failures = 0, onLoad: () => void = () => undefined): Promise<ServedPage> {
  const sessions = new Sessions(new SessionStore(scratchDir()), systemClock);
  let left = failures;
  const page = await servePage(
    { host: '127.0.0.1', port: 0 },
    {
      routes: [],
      version: '1.2.3',
      get sessions() {
        left -= 1;
        onLoad();
        if (left >= 0) throw new Error('its files are being replaced');
        return sessions;
      },
      hosts: () => ({ listen: '127.0.0.1', names: [] }),
      clock: systemClock,
      observe: () => undefined,
      metrics: { metrics: { text: () => '' }, token: () => undefined },
    },
  );
  onTestFinished(() => page[Symbol.asyncDispose]());
  return page;
}

test('a page that could not be loaded is loaded by a later request', async () => {
  const url = await served(1);
  expect((await fetch(`${url}/healthz`)).status).toBe(500);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test.each(['/%', '/%c0%ae', '/api/jobs/%'])('the path %s is refused as everything else is', async (path) => {
  const answer = await fetch(`${await served()}${path}`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ schema: 1, error: { code: 'CONTROL_INVALID' } });
});

test('a page is loaded for a visitor who is about to come, and for nobody else', async () => {
  const loads: true[] = [];
  const page = await serve(0, () => loads.push(true));
  expect(loads).toEqual([]);
  page.load();
  await expect.poll(() => loads.length).toBeGreaterThan(0);
});
