import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RecentEvents } from '../../../src/agent/events/recent-events.ts';
import { liveRoute } from '../../../src/control/live-route.ts';
import { LiveStatus, withoutClocks } from '../../../src/control/live-status.ts';
import { follow } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import type { Status } from '../../../src/control-api/status-schema.ts';
import { aRunningJob, aStatus, aTarget } from '../../support/control/a-status.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'live-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true, force: true });
});

/** A status that the test changes, over time that the test passes. */
function faked(first: Status = aStatus()) {
  vi.useFakeTimers({ now: 0 });
  const facts = { status: first, computed: 0, seq: 7 };
  const live = new LiveStatus({
    status: () => {
      facts.computed += 1;
      return { ...facts.status, at: Date.now() };
    },
    lastSeq: () => facts.seq,
    clock: { monotonic: () => Date.now() },
  });
  let messages = 0;
  live.changed.subscribe(() => (messages += 1));
  return { facts, live, messages: () => messages, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

describe('the status of those who look', () => {
  test('is computed once a second however many they are, and not for nobody', async () => {
    const { facts, live, pass } = faked();
    await pass(5_000);
    expect(facts.computed).toBe(0);
    const watchers = Array.from({ length: 50 }, () => live.watch());
    await pass(10_000);
    expect(facts.computed).toBe(11);
    for (const watcher of watchers) watcher[Symbol.dispose]();
    await pass(60_000);
    expect(facts.computed).toBe(11);
  });

  test('is computed at most once a second by those who come and go', async () => {
    const { facts, live, pass } = faked();
    for (let n = 0; n < 20; n += 1) {
      live.watch()[Symbol.dispose]();
      await pass(100);
    }
    expect(facts.computed).toBe(2);
  });

  test('is sent when something has changed that does not count on by itself, and at least every 15 seconds', async () => {
    const running = (ranMs: number, more = {}) =>
      aStatus({ targets: [aTarget({ jobs: [aRunningJob({ ranMs, earned: ranMs / 1e6 })], ...more })] });
    const { facts, live, messages, pass } = faked(running(1));
    using _ = live.watch();
    expect(messages()).toBe(1);
    facts.status = running(1_000);
    await pass(10_000);
    expect(messages()).toBe(1);
    facts.status = running(2_000, { mode: 'off' });
    await pass(1_000);
    expect(messages()).toBe(2);
    expect(JSON.parse(live.latest?.json ?? '')).toMatchObject({
      kind: 'status',
      seq: 7,
      status: { at: '1970-01-01T00:00:11.000Z', targets: [{ mode: 'off', jobs: [{ ranMs: 2_000 }] }] },
    });
    await pass(14_000);
    expect(messages()).toBe(2);
    await pass(1_000);
    expect(messages()).toBe(3);
  });

  test('that cannot be computed is an error for them, until it can be again', async () => {
    const facts = { broken: true };
    vi.useFakeTimers({ now: 0 });
    const live = new LiveStatus({
      status: () => {
        if (facts.broken) throw new Error('no journal');
        return aStatus();
      },
      lastSeq: () => 1,
      clock: { monotonic: () => Date.now() },
    });
    using _ = live.watch();
    expect(() => live.latest).toThrow('no journal');
    facts.broken = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(live.latest?.seq).toBe(1);
  });
});

test('the first start of a job is a change', () => {
  const withJob = (ranMs: number | null) =>
    withoutClocks(aStatus({ targets: [aTarget({ jobs: [aRunningJob({ ranMs })] })] }));
  expect(withJob(null)).not.toEqual(withJob(0));
  expect(withJob(5)).toEqual(withJob(0));
});

describe('the stream', () => {
  const parts = () => {
    const recent = new RecentEvents({ clock: { now: () => Date.now() }, redact: (line) => line });
    const facts = { sentence: 'a' };
    const live = new LiveStatus({
      status: () => aStatus({ sentence: facts.sentence }),
      lastSeq: () => recent.last,
      clock: { monotonic: () => performance.now() },
    });
    const add = (adopted: number): void => recent.observe({ kind: 'recovery-completed', adopted });
    return { recent, facts, live, add };
  };
  const followed = (rest: string, signal: AbortSignal) =>
    follow(directory, ENDPOINTS.live, { caller: 'a test', rest }, signal);

  test('has the status first, then what happens, and the status after it', async () => {
    const { add, facts, live, recent } = parts();
    add(1);
    await using _ = await serveControl(socketsOf(directory, undefined), {
      routes: [liveRoute(live, recent)],
      version: '1.2.3',
    });
    const enough = new AbortController();
    const seen: unknown[] = [];
    for await (const item of followed('', enough.signal)) {
      seen.push(item.kind === 'status' ? item.status.sentence : item.event.fields['adopted']);
      if (seen.length === 1) {
        add(2);
        facts.sentence = 'b';
      }
      if (seen.length === 3) enough.abort();
    }
    expect(seen).toEqual(['a', 2, 'b']);
  });

  test('goes on after the last event that a reader has seen, whatever the status before it said', async () => {
    const { add, live, recent } = parts();
    await using _ = await serveControl(socketsOf(directory, undefined), {
      routes: [liveRoute(live, recent)],
      version: '1.2.3',
    });
    const since = recent.last;
    for (const n of [1, 2, 3]) add(n);
    const enough = new AbortController();
    const seen: unknown[] = [];
    for await (const item of followed(`?since=${since + 1}`, enough.signal)) {
      seen.push(item.kind === 'status' ? item.seq - since : item.event.fields['adopted']);
      if (seen.length === 3) enough.abort();
    }
    expect(seen).toEqual([2, 3, 3]);
  });

  test.each(['since=x', 'since=-1', 'since=1e3'])('refuses %s', async (query) => {
    const { live, recent } = parts();
    await using _ = await serveControl(socketsOf(directory, undefined), {
      routes: [liveRoute(live, recent)],
      version: '1.2.3',
    });
    const items = followed(`?${query}`, new AbortController().signal);
    await expect(items.next()).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
  });
});
