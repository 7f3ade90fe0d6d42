import { expect, test } from 'vitest';
import { z } from 'zod';
import { STATUS, type Status } from '../../../src/control-api/status-schema.ts';
import { Live, type StreamReader } from '../../../src/web/live.ts';
import { aStatus, NOON } from '../../support/control/a-status.ts';

const wire = (more: Partial<Status> = {}) => z.encode(STATUS, aStatus(more));
const event = (seq: number) => ({
  kind: 'event',
  event: { seq, at: new Date(NOON).toISOString(), level: 'info', event: 'x', message: '', fields: {} },
});

/** An agent and a clock, both in the test's hands. */
class Fixture {
  nowMs = 0;
  streams: { readonly since: string | undefined; readonly reader: StreamReader; isOpen: boolean }[] = [];
  asked = 0;
  answer: () => Promise<ReturnType<typeof wire>> = () => Promise.reject(new Error('unanswered'));
  #ticks = new Set<() => void>();
  readonly live = new Live({
    open: (since, reader) => {
      const stream = { since, reader, isOpen: true };
      this.streams.push(stream);
      return () => void (stream.isOpen = false);
    },
    fetchStatus: () => {
      this.asked += 1;
      return this.answer();
    },
    isSignedOut: (thrown) => thrown instanceof Error && thrown.message === 'signed out',
    now: () => this.nowMs,
    every: (_ms, act) => {
      this.#ticks.add(act);
      return () => void this.#ticks.delete(act);
    },
  });

  get reader(): StreamReader {
    const reader = this.streams.at(-1)?.reader;
    if (reader === undefined) throw new Error('no stream was opened');
    return reader;
  }

  send(item: object, seq = ''): void {
    this.reader.onItem(JSON.stringify(item), seq);
  }

  status(more: Partial<Status> = {}, seq = ''): void {
    this.send({ kind: 'status', seq: 0, status: wire(more) }, seq);
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.nowMs += 1_000;
      for (const tick of this.#ticks) tick();
      await Promise.resolve();
      await Promise.resolve();
    }
  }
}

function follow(): Fixture {
  const fixture = new Fixture();
  fixture.live.start();
  return fixture;
}

test('what the stream brings is shown at once, and ages while nothing changes', async () => {
  const fixture = follow();
  fixture.status();
  expect(fixture.live.state).toMatchObject({ link: 'live', ageMs: 0, status: { state: 'waiting' } });
  await fixture.pass(14);
  expect(fixture.live.state).toMatchObject({ link: 'live', ageMs: 14_000, silentMs: 0 });
  expect(fixture.asked).toBe(0);
});

test('a stream that fell silent is stale, and what is shown ages no more', async () => {
  const fixture = follow();
  fixture.status();
  await fixture.pass(30);
  expect(fixture.asked).toBeGreaterThan(0);
  expect(fixture.live.state).toMatchObject({ link: 'stale', silentMs: 30_000, ageMs: 19_000 });
});

test('a stream that ended is opened again from its last event on', async () => {
  const fixture = follow();
  fixture.status({}, '7');
  fixture.send(event(8), '8');
  fixture.reader.onEnd();
  await fixture.pass(5);
  expect(fixture.live.state.link).toBe('live');
  expect(fixture.streams.at(-1)).toMatchObject({ since: '8', isOpen: true });
  fixture.reader.onEnd();
  await fixture.pass(1);
  fixture.reader.onEnd();
  await fixture.pass(4);
  expect(fixture.live.state.link).toBe('stale');
  fixture.status({ state: 'working' });
  expect(fixture.live.state).toMatchObject({ link: 'live', silentMs: 0, status: { state: 'working' } });
});

test('an agent without such a stream is asked for its status instead', async () => {
  const fixture = follow();
  fixture.answer = async () => wire();
  for (let failed = 0; failed < 5; failed += 1) {
    fixture.reader.onEnd();
    await fixture.pass(1);
  }
  const opened = fixture.streams.length;
  await fixture.pass(5);
  expect(fixture.streams).toHaveLength(opened);
  expect(fixture.live.state.link).toBe('live');
});

test('an event that comes twice is shown once', () => {
  const fixture = follow();
  for (const seq of [1, 2, 2, 1, 3]) fixture.send(event(seq), String(seq));
  expect(fixture.live.state.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test('without a session nothing is asked until somebody signs in', async () => {
  const fixture = follow();
  fixture.answer = () => Promise.reject(new Error('signed out'));
  fixture.reader.onEnd();
  await fixture.pass(10);
  expect(fixture.live.state.link).toBe('signed-out');
  expect(fixture.asked).toBe(1);
  fixture.live.start();
  expect(fixture.live.state.link).toBe('connecting');
  expect(fixture.streams.at(-1)?.isOpen).toBe(true);
});

test('a page that nobody sees keeps no stream, and its time away is no silence', async () => {
  const fixture = follow();
  fixture.status();
  fixture.live.stop();
  expect(fixture.streams.every(({ isOpen }) => !isOpen)).toBe(true);
  await fixture.pass(600);
  fixture.nowMs += 600_000;
  fixture.live.start();
  await fixture.pass(1);
  expect(fixture.live.state.link).toBe('live');
});

test('another version of the agent makes the page old', () => {
  const fixture = follow();
  fixture.status();
  expect(fixture.live.state.isOutdated).toBe(false);
  fixture.status({ agent: { version: '2.0.0', phase: 'working', upMs: 0 } });
  expect(fixture.live.state.isOutdated).toBe(true);
});

test('an answer that the stream has overtaken changes nothing', async () => {
  const fixture = follow();
  fixture.status({ at: NOON + 2_000, state: 'working' });
  fixture.answer = async () => wire({ at: NOON, state: 'waiting' });
  await fixture.live.refresh();
  expect(fixture.live.state.status?.state).toBe('working');
});
