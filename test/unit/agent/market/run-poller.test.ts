import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventLog } from '../../../../src/agent/events/event-log.ts';
import { RunPoller } from '../../../../src/agent/market/run-poller.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { MarketAnswer } from '../../../../src/domain/ports/broker.ts';
import { aRun } from '../../../support/domain.ts';
import { logInto } from '../../../support/log/log-into.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const UNCHANGED: MarketAnswer = {
  unchanged: true,
  runs: [],
  invalid: [],
  moreInvalid: 0,
  isCut: false,
  busyMs: 0,
  etag: '"1"',
  waited: false,
  retryAfterMs: undefined,
};
const CHANGED: MarketAnswer = { ...UNCHANGED, unchanged: false, runs: [aRun()] };

/** A watch that polls every ten seconds, and when it asked, in seconds; `answer` is the broker. */
function watching(
  answer: (signal: AbortSignal, etag: string | undefined) => Promise<MarketAnswer>,
  isFree = true,
) {
  const began = Date.now();
  const asked: number[] = [];
  const denied: number[] = [];
  const log: string[] = [];
  const end = new AbortController();
  const watch = new RunPoller({
    broker: {
      runs: ({ etag, signal }) => {
        asked.push((Date.now() - began) / 1000);
        return answer(signal, etag);
      },
    },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    log: logInto(log),
    observe: eventLog(logInto(log)),
    random: () => 0,
    pollIntervalMs: 10_000,
    hold: true,
    isFree: () => isFree,
    onPoll: () => undefined,
    onAnswer: () => undefined,
    onRefused: () => undefined,
    onInstanceRefused: () => void denied.push((Date.now() - began) / 1000),
  });
  const working = watch.work(() => 'instance-1', end.signal);
  return {
    watch,
    asked,
    denied,
    log,
    /** How long passed between the last so many polls and the ones before, in seconds. */
    gaps: (count: number) =>
      asked
        .slice(1)
        .map((at, index) => Math.round((at - (asked[index] ?? 0)) * 1_000) / 1_000)
        .slice(-count),
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await working;
    },
  };
}

test('a list that comes without a tag is not asked for by the tag of an older one', async () => {
  const tags: (string | undefined)[] = [];
  const answers = [CHANGED, UNCHANGED, { ...CHANGED, etag: undefined }, CHANGED, CHANGED];
  await using at = watching((_, etag) => {
    tags.push(etag);
    return Promise.resolve(answers[tags.length - 1] ?? UNCHANGED);
  });
  await seconds(41);
  expect(at.asked).toHaveLength(5);
  expect(tags).toEqual([undefined, '"1"', '"1"', undefined, '"1"']);
});

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_000);

test('a broker that does not hold the call is polled at the interval, and after sixty polls without a change less often', async () => {
  await using at = watching(() => Promise.resolve(UNCHANGED));
  await seconds(600);
  expect(at.gaps(60)).toEqual(Array.from({ length: 60 }, () => 10));
  await seconds(1_000);
  expect(at.gaps(3)).toEqual([30, 30, 30]);
});

test('a change brings the interval back', async () => {
  let answer = UNCHANGED;
  await using at = watching(() => Promise.resolve(answer));
  await seconds(2_000);
  expect(at.gaps(1)).toEqual([30]);
  answer = CHANGED;
  await seconds(30);
  answer = UNCHANGED;
  await seconds(30);
  expect(at.gaps(2)).toEqual([10, 10]);
});

test('a broker that holds the call is asked again at once, and a moment after a change', async () => {
  const answers: PromiseWithResolvers<MarketAnswer>[] = [];
  await using at = watching((signal) => {
    const answer = Promise.withResolvers<MarketAnswer>();
    signal.addEventListener('abort', () => answer.reject(new AgentError('BROKER_UNREACHABLE', 'aborted')));
    answers.push(answer);
    return answer.promise;
  });
  await seconds(25);
  answers.at(-1)?.resolve({ ...UNCHANGED, waited: true });
  await seconds(5);
  expect(at.asked).toEqual([0, 25]);
  answers.at(-1)?.resolve({ ...CHANGED, waited: true });
  await seconds(5);
  expect(at.asked).toEqual([0, 25, 30.05]);
});

test('one that says that it holds and answers at once is polled all the same', async () => {
  await using at = watching(() => Promise.resolve({ ...UNCHANGED, waited: true }));
  await seconds(31);
  expect(at.asked).toEqual([0, 10, 20, 30]);
});

test.each([
  ['a slot is free', true, 10],
  ['none is', false, 2],
])('one that changes its mind at every call is not asked in a hot loop: %s', async (_, isFree, perSecond) => {
  await using at = watching(() => Promise.resolve({ ...CHANGED, waited: true }), isFree);
  await seconds(60);
  expect(at.asked.length).toBeGreaterThan(30 * perSecond);
  expect(at.asked.length).toBeLessThanOrEqual(10 + 60 * perSecond + 1);
});

test('a market on which something happens every second is seen at once each time', async () => {
  await using at = watching(async (signal) => {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 700);
      signal.addEventListener('abort', () => resolve());
    });
    return { ...CHANGED, waited: true };
  });
  await seconds(60);
  expect(Math.max(...at.gaps(60))).toBeCloseTo(0.75, 3);
});

test('a long list is not read so often', async () => {
  const runs = Array.from({ length: 50_000 }, () => aRun());
  await using at = watching(() => Promise.resolve({ ...CHANGED, runs, waited: true }));
  await seconds(10);
  expect(at.gaps(5)).toEqual(Array.from({ length: 5 }, () => 1.05));
});

test('a list that took a second to read is not read again for nine', async () => {
  await using at = watching(() => Promise.resolve({ ...CHANGED, waited: true, busyMs: 1_000 }));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(at.gaps(2)).toEqual([9, 9]);
});

test('a market that is larger than what is read of it is logged once for as long as it is', async () => {
  let answer: MarketAnswer = { ...CHANGED, isCut: true };
  await using at = watching(() => Promise.resolve(answer));
  const cuts = () => at.log.filter((line) => line.includes('"event":"market-cut"')).length;
  await vi.advanceTimersByTimeAsync(100_000);
  expect(cuts()).toBe(1);
  answer = CHANGED;
  await vi.advanceTimersByTimeAsync(20_000);
  answer = { ...CHANGED, isCut: true };
  await vi.advanceTimersByTimeAsync(100_000);
  expect(cuts()).toBe(2);
});

test('honours a Retry-After', async () => {
  await using at = watching(() => Promise.resolve({ ...UNCHANGED, retryAfterMs: 45_000 }));
  await seconds(91);
  expect(at.asked).toEqual([0, 45, 90]);
});

test('polls that are refused repeatedly are logged, other failures are not', async () => {
  const codes = ['BROKER_REFUSED', 'BROKER_UNAVAILABLE', 'BROKER_NOT_FOUND', 'BROKER_UNREACHABLE'] as const;
  let polls = 0;
  await using at = watching(() => {
    const code = codes[polls % 4] ?? 'INTERNAL';
    polls += 1;
    return Promise.reject(new AgentError(code, 'no'));
  });
  await seconds(300);
  expect(at.denied.slice(0, 2)).toEqual([at.asked[2], at.asked[4]]);
});
