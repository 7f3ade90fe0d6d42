import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { BrokerJob } from '../../../../src/domain/job.ts';
import type { ReportAnswer } from '../../../../src/domain/ports/broker.ts';
import { atWork, listOf, recordOf } from '../../../support/agent/running-reconciler.ts';
import { listed } from '../../../support/domain.ts';
import { stateNamed } from '../../../support/journal/samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TAKEN: ReportAnswer = { kind: 'taken', cost: undefined };
const running = (...uuids: string[]) => uuids.map((uuid) => recordOf(uuid, stateNamed('running')));

/** No answer, until the one who asks gives up. */
const silence = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('too late'))));

/** When to ask under a lease, for so many seconds: at each third of it. */
const thirds = (lease: number, seconds: number): number[] =>
  Array.from({ length: Math.floor((seconds * 3) / lease) + 1 }, (_, index) => (index * lease) / 3);

describe('a job about which the broker does not answer', () => {
  test.each([[6], [9], [12], [30]])('holds back no renewal of a lease of %i s', async (lease) => {
    await using at = atWork(running('mute', 'other'), {
      lease,
      heldJobs: () => Promise.resolve(listOf('other')),
      job: (_, signal) => silence(signal),
    });
    await vi.advanceTimersByTimeAsync(60_500);
    expect(at.asked).toEqual(thirds(lease, 60));
  });

  test('is asked about once at a time, and again once the first is given up', async () => {
    const begun: number[] = [];
    await using at = atWork(running('mute'), {
      lease: 6,
      heldJobs: () => Promise.resolve(listOf()),
      job: (_, signal) => {
        begun.push(at.asked.at(-1) ?? -1);
        return silence(signal);
      },
    });
    await vi.advanceTimersByTimeAsync(25_000);
    expect(begun).toEqual([0, 10, 20]);
  });

  test('has a sixth job looked into although as many as may be at once are mute', async () => {
    const jobs = running('mute-1', 'mute-2', 'mute-3', 'mute-4', 'mute-5', 'gone');
    await using at = atWork(jobs, {
      lease: 6,
      heldJobs: () => Promise.resolve(listOf()),
      job: (uuid, signal) => (uuid === 'gone' ? Promise.resolve(undefined) : silence(signal)),
    });
    await vi.advanceTimersByTimeAsync(11_000);
    expect(at.cancelled).toEqual(['gone']);
  });
});

test('an instance about which the broker does not answer holds back no other', async () => {
  const [mute, other] = ['mute', 'other'].map((name) => recordOf(name, stateNamed('running'), name));
  await using at = atWork(
    [mute, other].flatMap((job) => job ?? []),
    {
      lease: 6,
      offered: [],
      heldJobs: (instance, signal) =>
        instance === 'mute'
          ? silence(signal)
          : Promise.resolve(listed<BrokerJob>([], { invalid: [{ uuid: 'other', reason: '' }] })),
    },
  );
  await vi.advanceTimersByTimeAsync(24_500);
  expect(at.askedOf.get('other')).toEqual(thirds(6, 24));
  expect(at.askedOf.get('mute')).toEqual([0, 11, 22]);
});

test('what is asked for while a list is under way is asked once that is here', async () => {
  const first = Promise.withResolvers<void>();
  await using at = atWork(running('running'), {
    heldJobs: async () => {
      await first.promise;
      return listOf('running');
    },
  });
  await vi.advanceTimersByTimeAsync(5_000);
  at.reconciler.now();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(at.asked).toEqual([0]);
  first.resolve();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(at.asked).toEqual([0, 6]);
});

test('the answer about an earlier claim of a job does not stop the one of now', async () => {
  const jobs = running('job');
  const answer = Promise.withResolvers<undefined>();
  await using at = atWork(jobs, { heldJobs: () => Promise.resolve(listOf()), job: () => answer.promise });
  await vi.advanceTimersByTimeAsync(1_000);
  jobs[0] = { ...recordOf('job', stateNamed('running')), claimedAt: 1_000 };
  answer.resolve(undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(at.cancelled).toEqual([]);
});

describe('before recovery is over', () => {
  test('leases are renewed, and no job is looked up, stopped or released; that comes at once then', async () => {
    const looked: string[] = [];
    const released: string[] = [];
    await using at = atWork(running('gone'), {
      lease: 6,
      offered: [],
      recovering: true,
      heldJobs: () => Promise.resolve(listOf('lost')),
      job: (uuid) => {
        looked.push(uuid);
        return Promise.resolve(undefined);
      },
      release: (uuid) => {
        released.push(uuid);
        return Promise.resolve(TAKEN);
      },
    });
    await vi.advanceTimersByTimeAsync(6_500);
    expect(at.asked).toEqual([0, 2, 4, 6]);
    expect([...looked, ...released, ...at.cancelled]).toEqual([]);
    at.reconciler.recovered();
    await vi.advanceTimersByTimeAsync(100);
    expect(at.asked).toEqual([0, 2, 4, 6, 6.5]);
    expect(at.cancelled).toEqual(['gone']);
    expect(released).toEqual(['lost']);
  });
});

describe('a refused token', () => {
  const refuse = (): Promise<never> =>
    Promise.reject(new AgentError('BROKER_UNAUTHORIZED', 'Invalid token.'));

  test('is reported, and the list is fetched again at once with another one', async () => {
    let token = 'old';
    await using at = atWork(running('running'), {
      heldJobs: () => (token === 'old' ? refuse() : Promise.resolve(listOf('running'))),
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(at.seen.refused).toBe(1);
    token = 'new';
    at.reconciler.now();
    await vi.advanceTimersByTimeAsync(27_000);
    expect(at.asked).toEqual([0, 2]);
    expect(at.seen.refused).toBe(1);
  });

  test('is reported where the broker only says so about one job', async () => {
    await using at = atWork(running('gone'), { heldJobs: () => Promise.resolve(listOf()), job: refuse });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(at.seen.refused).toBe(1);
  });
});
