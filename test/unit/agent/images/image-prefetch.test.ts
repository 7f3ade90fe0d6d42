import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ImageInspector } from '../../../../src/agent/images/image-inspector.ts';
import { ImagePrefetch, type ImagePrefetchDeps } from '../../../../src/agent/images/image-prefetch.ts';
import { ImagePuller } from '../../../../src/agent/images/image-puller.ts';
import { ImageUses } from '../../../../src/agent/images/image-uses.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { ImageHost, idOf, MemoryImageRecords } from '../../../support/agent/image-host.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';

const ENGINE = 'engine';
const A = 'sharedcloud/a:latest';
const B = 'sharedcloud/b:latest';
const NOW = 1_000_000_000;

/** What pulls ahead, onto a disk of 1000 bytes that may be full up to 800; images have 100. */
function prefetching(more: Partial<ImagePrefetchDeps> = {}) {
  const host = new ImageHost();
  const records = new MemoryImageRecords();
  const uses = new ImageUses();
  const lines: string[] = [];
  const values = new Map([
    [A, 10],
    [B, 20],
  ]);
  const { signal } = new AbortController();
  const clock = { monotonic: () => 0, now: () => NOW };
  const begun: string[] = [];
  const cancelled: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const puller = new ImagePuller({
    images: {
      find: (ref) => host.images.find(ref),
      prepare: async (ref, aborted) => {
        begun.push(ref);
        const end = Promise.withResolvers<void>();
        ends.set(ref, end);
        aborted.addEventListener('abort', () => {
          cancelled.push(ref);
          end.reject(aborted.reason);
        });
        await end.promise;
        return host.images.prepare(ref, aborted);
      },
    },
    uses,
    clock,
    random: () => 1,
    observe: () => undefined,
    maxPulls: 1,
    signal,
  });
  const valuePerDay = (ref: string): number => values.get(ref) ?? 0;
  const inspector = new ImageInspector({
    store: host.store,
    records,
    journal: { inState: () => [] },
    uses,
    engine: () => Promise.resolve(ENGINE),
    valuePerDay,
    log: logInto([]),
    now: clock.now,
  });
  const prefetch = new ImagePrefetch({
    inspector,
    images: puller,
    wantedRefs: () => values.keys(),
    valuePerDay,
    isOnMarket: () => true,
    patterns: ['sharedcloud/*'],
    disk: () => host.disk(),
    low: 0.8,
    costPerByte: 0.1,
    clock,
    log: logInto(lines),
    ...more,
  });
  /** As if the agent had pulled it, at a size that is known then. */
  const pulled = (ref: string, bytes: number, removedAt?: number): void =>
    records.addPull({ engine: ENGINE, imageId: idOf(ref), ref, pulledAt: 0, bytes, removedAt });
  pulled(A, 100, 0);
  void prefetch.work(signal);
  const minute = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(60_000);
    await setImmediate();
  };
  return { host, lines, values, puller, begun, cancelled, ends, pulled, minute };
}

describe('images that runs of past days wanted', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('are pulled one after the other, the most valuable first', async () => {
    const { begun, ends, lines, minute } = prefetching();
    await minute();
    await minute();
    expect(begun).toEqual([B]);
    ends.get(B)?.resolve();
    await minute();
    expect(begun).toEqual([B, A]);
    expect(logged(lines, 'image-prefetch')).toMatchObject([{ image: B, bytes: 100 }, { image: A }]);
  });

  test.each<[string, (given: ReturnType<typeof prefetching>) => void]>([
    ['that are here', ({ host }) => host.add(B, 100)],
    ['that were evicted within a day', ({ pulled }) => pulled(B, 100, NOW - 23 * 3_600_000)],
    ['that are larger than there is room', ({ pulled }) => pulled(B, 801, 0)],
    ['whose pulls cost more than three days of their value', ({ pulled }) => pulled(B, 600, -1e12)],
  ])('are not pulled ahead: those %s', async (_, change) => {
    const given = prefetching();
    change(given);
    await given.minute();
    expect(given.begun).toEqual([A]);
  });

  test.each<[string, (given: ReturnType<typeof prefetching>) => void]>([
    ['the disk is as full as the low mark', ({ host }) => void (host.otherBytes = 800)],
    ['another image is pulled', ({ puller }) => puller.want('offer', ['sharedcloud/c:latest'], 1)],
    ['the owner does not allow them', ({ values }) => renamed(values)],
    ['none is of any value', ({ values }) => values.forEach((_, ref) => values.set(ref, 0))],
  ])('are not pulled ahead while %s', async (_, change) => {
    const given = prefetching();
    change(given);
    await given.minute();
    expect(given.begun.filter((ref) => ref !== 'sharedcloud/c:latest')).toEqual([]);
  });

  test('are not pulled ahead while no offer may get jobs', async () => {
    const market = { isOpen: false };
    const { begun, minute } = prefetching({ isOnMarket: () => market.isOpen });
    await minute();
    expect(begun).toEqual([]);
    market.isOpen = true;
    await minute();
    expect(begun).toEqual([B]);
  });

  test('are no longer pulled once an open run’s image waits, or the disk is full', async () => {
    const { begun, cancelled, minute, puller } = prefetching();
    await minute();
    puller.want('offer', [A], 1);
    await vi.waitFor(() => expect(begun).toEqual([B, A]));
    expect(cancelled).toEqual([B]);
    puller.makeWay();
    expect(cancelled).toEqual([B]);
    puller.want('offer', [], 1);
    puller.makeWay();
    expect(cancelled).toEqual([B, A]);
  });

  test('go on being pulled where an open run wants them by now', async () => {
    const { cancelled, ends, minute, puller } = prefetching();
    await minute();
    puller.want('offer', [B], 1);
    puller.makeWay();
    expect(cancelled).toEqual([]);
    ends.get(B)?.resolve();
    await vi.waitFor(() => expect(puller.state(B)).toBe('ready'));
  });

  test('are looked for again after a failure of the engine', async () => {
    const { begun, host, lines, minute } = prefetching();
    host.onList = () => Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'it is gone'));
    await minute();
    expect(logged(lines, 'image-prefetch-failed')).toMatchObject([{ code: 'RUNTIME_UNAVAILABLE' }]);
    host.onList = () => undefined;
    await minute();
    expect(begun).toEqual([B]);
  });
});

function renamed(values: Map<string, number>): void {
  values.clear();
  values.set('stranger/a:latest', 1_000);
}
