import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Reporter } from '../../../../src/agent/reports/reporter.ts';
import { AgentError, type ErrorExtras } from '../../../../src/domain/errors.ts';
import type { JobRecord } from '../../../../src/domain/job.ts';
import type { ReportAnswer } from '../../../../src/domain/ports/broker.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';
import { aNewJob } from '../../../support/domain.ts';
import { stateNamed } from '../../../support/journal/samples.ts';
import { logInto } from '../../../support/log/log-into.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const S = 1_000;
const MINUTE = 60_000;

const unavailable = (more: ErrorExtras = {}): AgentError =>
  new AgentError('BROKER_UNAVAILABLE', 'cannot serve now', more);

/** A reporter whose broker accepts each report for which `broker` does not throw. Times are in seconds. */
function atWork(broker: (job: string) => void) {
  const began = Date.now();
  const jobs = new Map<string, JobRecord>();
  const tried: { readonly job: string; readonly at: number }[] = [];
  const end = new AbortController();
  const never = (): never => {
    throw new Error('not asked for');
  };
  const reporter = new Reporter({
    broker: {
      report: (job) => {
        tried.push({ job, at: (Date.now() - began) / S });
        return new Promise<ReportAnswer>((taken) => {
          broker(job);
          taken({ kind: 'taken', cost: 1 });
        });
      },
      release: never,
      job: never,
    },
    journal: {
      uuidsIn: (...names) =>
        [...jobs.values()].filter(({ state }) => names.includes(state.name)).map(({ uuid }) => uuid),
      get: (uuid) => jobs.get(uuid),
      transition: (uuid, state) => {
        const moved = { ...(jobs.get(uuid) ?? never()), state };
        jobs.set(uuid, moved);
        return moved;
      },
    },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    random: () => 0.999,
    log: logInto([]),
    observe: () => undefined,
    accepted: new Notifier(),
    onRefused: () => undefined,
  });
  const working = reporter.work(end.signal);
  return {
    reporter,
    /** Makes a report of each of these jobs pending. */
    add: (...names: readonly string[]): void => {
      for (const uuid of names)
        jobs.set(uuid, { ...aNewJob(), uuid, claimedAt: 0, updatedAt: 0, state: stateNamed('finished') });
      reporter.wake();
    },
    pending: (): readonly string[] =>
      [...jobs.values()].filter(({ state }) => state.name === 'finished').map(({ uuid }) => uuid),
    timesOf: (job: string): readonly number[] => tried.filter((one) => one.job === job).map(({ at }) => at),
    tries: () => tried.length,
    stop: async (): Promise<void> => {
      end.abort();
      await working;
    },
  };
}

const gaps = (times: readonly number[]): readonly number[] =>
  times.slice(1).map((at, index) => at - (times[index] ?? 0));

/** A report that the broker never accepts, while it accepts another one every five seconds for half an hour. */
async function halfAnHourBeside(error: AgentError) {
  const at = atWork((job) => {
    if (job === 'bad') throw error;
  });
  at.add('bad');
  for (let n = 0; n < 360; n += 1) {
    await vi.advanceTimersByTimeAsync(5 * S);
    at.add(`good-${n}`);
    // A poll that succeeds again says nothing about that report either.
    if (n % 5 === 0) at.reporter.brokerAnswered(true);
  }
  await vi.advanceTimersByTimeAsync(S);
  const { pending, timesOf } = at;
  await at.stop();
  expect(pending()).toEqual(['bad']);
  return timesOf;
}

describe('a report that always fails while others are accepted', () => {
  test.each<[string, AgentError]>([
    ['a 5xx', unavailable()],
    ['a cut connection', new AgentError('BROKER_UNREACHABLE', 'cut')],
    ['a 402', new AgentError('BROKER_REFUSED', 'no', { status: 402 })],
  ])('with %s is sent less and less often, and holds up none of them', async (_, error) => {
    const timesOf = await halfAnHourBeside(error);
    const times = timesOf('bad');
    expect(times.length).toBeGreaterThan(8);
    expect(times.length).toBeLessThan(20);
    expect(Math.max(...gaps(times))).toBeGreaterThan(290);
    for (let n = 1; n < 360; n += 1) expect(timesOf(`good-${n}`)[0]).toBeLessThan(5 * (n + 1) + 4);
  });

  test('is not sent before the time that the broker named for it', async () => {
    const timesOf = await halfAnHourBeside(unavailable({ retryAfterMs: 5 * MINUTE }));
    const times = timesOf('bad');
    expect(Math.min(...gaps(times))).toBeGreaterThanOrEqual(300);
    expect(times.length).toBeGreaterThan(4);
  });

  test('is not sent more often because polls succeed', async () => {
    const at = atWork(() => {
      throw unavailable();
    });
    at.add('bad');
    for (let n = 0; n < 72; n += 1) {
      await vi.advanceTimersByTimeAsync(25 * S);
      at.reporter.brokerAnswered(false);
    }
    await at.stop();
    expect(at.tries()).toBeLessThan(20);
  });
});

test('reports that waited through an outage are delivered within seconds of its end, after one probe at a time', async () => {
  let away = true;
  const at = atWork(() => {
    if (away) throw unavailable();
  });
  const names = Array.from({ length: 20 }, (_, n) => `job-${n}`);
  at.add(...names);
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(at.tries()).toBeLessThan(40);
  away = false;
  await vi.advanceTimersByTimeAsync(5 * MINUTE + 3 * S);
  expect(at.pending()).toEqual([]);
  const last = names.map((job) => at.timesOf(job).at(-1) ?? 0);
  expect(Math.max(...last) - Math.min(...last)).toBeLessThan(3);
  await at.stop();
});

test('a report that alone failed is part of the next outage like all others', async () => {
  let fails: 'bad' | 'all' | 'none' = 'bad';
  const at = atWork((job) => {
    if (fails === 'all' || fails === job) throw unavailable();
  });
  at.add('bad');
  for (let n = 0; n < 60; n += 1) {
    await vi.advanceTimersByTimeAsync(5 * S);
    at.add(`good-${n}`);
  }
  fails = 'all';
  at.add('later');
  await vi.advanceTimersByTimeAsync(30 * MINUTE);
  fails = 'none';
  at.reporter.brokerAnswered(true);
  await vi.advanceTimersByTimeAsync(3 * S);
  expect(at.pending()).toEqual([]);
  await at.stop();
});
