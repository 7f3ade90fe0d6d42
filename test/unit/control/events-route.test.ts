import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecentEvents } from '../../../src/agent/events/recent-events.ts';
import { eventsRoute } from '../../../src/control/events-route.ts';
import { follow } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import { LIMITS } from '../../../src/limits.ts';
import { runLine } from '../../support/cli/run.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'events-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function serve(recent: RecentEvents): Promise<AsyncDisposable> {
  return serveControl(socketsOf(directory, undefined), { routes: [eventsRoute(recent)], version: '1.2.3' });
}
const remember = () => new RecentEvents({ clock: { now: () => Date.now() }, redact: (line) => line });
const add = (recent: RecentEvents, adopted: number): void =>
  recent.observe({ kind: 'recovery-completed', adopted });
const events = (rest: string, signal = new AbortController().signal) =>
  follow(directory, ENDPOINTS.events, { caller: 'a test', rest }, signal);

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('a stream has what is remembered, and then what comes', async () => {
  const recent = remember();
  await using _ = await serve(recent);
  add(recent, 1);
  add(recent, 2);
  const seen: unknown[] = [];
  const enough = new AbortController();
  for await (const { fields } of events('?limit=1&follow=1', enough.signal)) {
    seen.push(fields['adopted']);
    if (seen.length === 3) enough.abort();
    else add(recent, 2 + seen.length);
  }
  expect(seen).toEqual([2, 3, 4]);
});

test('a reader that comes too late learns how many events it missed', async () => {
  const recent = remember();
  await using _ = await serve(recent);
  add(recent, 0);
  const since = recent.after(0, 1).events[0]?.seq;
  for (let n = 0; n < LIMITS.log.recentEvents.max + 7; n += 1) add(recent, n);
  const [first] = await collect(events(`?since=${since}`));
  expect(first).toMatchObject({ event: 'events-left-out', fields: { events: 7 } });
});

test.each(['since=x', 'limit=0', 'limit=1e9', 'since=-1'])('%s is refused', async (query) => {
  await using _ = await serve(remember());
  await expect(collect(events(`?${query}`))).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
});

test('the command prints them, as text and as JSON, and needs an agent', async () => {
  const recent = remember();
  {
    await using _ = await serve(recent);
    recent.observe({ kind: 'claiming-paused', blockedBy: ['disk'], why: '\u001b[2J', hint: undefined });
    const text = await runLine(['events', '--state-dir', directory]);
    expect(text.exit).toBe(0);
    expect(text.stdout).not.toContain('\u001b');
    const json = await runLine(['events', '--state-dir', directory, '--json', '--since', '1h']);
    expect(JSON.parse(json.stdout)).toMatchObject({ event: 'claiming-paused' });
    expect(json.stdout).toMatch(/"at":"\d{4}-[^"]*Z"/);
  }
  expect(await runLine(['events', '--state-dir', directory])).toMatchObject({ exit: 1, stdout: '' });
});
