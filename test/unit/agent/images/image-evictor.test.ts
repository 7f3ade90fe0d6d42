import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { ImageEvictor, type ImageEvictorDeps } from '../../../../src/agent/images/image-evictor.ts';
import { ImageInspector } from '../../../../src/agent/images/image-inspector.ts';
import { ImagePuller } from '../../../../src/agent/images/image-puller.ts';
import { ImageUses } from '../../../../src/agent/images/image-uses.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { JobRecord } from '../../../../src/domain/job.ts';
import type { ReadyImage } from '../../../../src/domain/ports/runtime.ts';
import { aJobOn } from '../../../support/agent/gpu-scenario.ts';
import { ImageHost, idOf, MemoryImageRecords } from '../../../support/agent/image-host.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';

const OLD = 0;
const NOW = 1_000_000_000;
const ENGINE = 'engine';
const A = 'sharedcloud/a:latest';
const A_DIGEST = `sharedcloud/a@sha256:${'a'.repeat(64)}`;
const B = 'sharedcloud/b:latest';

/** An evictor on a disk of 1000 bytes with marks at 850 and 800, and the puller beside it. */
function evicting(more: Partial<ImageEvictorDeps> = {}) {
  const host = new ImageHost();
  const records = new MemoryImageRecords();
  const uses = new ImageUses();
  const events: AgentEvent[] = [];
  const lines: string[] = [];
  const values = new Map<string, number>();
  const jobs: JobRecord[] = [];
  const time = { now: 0 };
  const observe = (event: AgentEvent): void => void events.push(event);
  const { signal } = new AbortController();
  const clock = { monotonic: () => time.now, now: () => NOW + time.now };
  const puller = new ImagePuller({
    images: host.images,
    uses,
    clock,
    random: () => 1,
    observe,
    maxPulls: 2,
    signal,
  });
  const engine = { key: ENGINE as string | undefined };
  const inspector = new ImageInspector({
    store: host.store,
    records,
    journal: { inState: () => jobs },
    uses,
    engine: () => Promise.resolve(engine.key),
    valuePerDay: (ref) => values.get(ref) ?? 0,
    now: clock.now,
    log: logInto(lines),
  });
  const wanted = new Set<string>();
  const evictor = new ImageEvictor({
    store: host.store,
    inspector,
    uses,
    images: puller,
    disk: () => host.disk(),
    high: 0.85,
    low: 0.8,
    minFreeBytes: 0,
    *wanted() {
      yield;
      return wanted;
    },
    makeWay: () => undefined,
    clock,
    log: logInto(lines),
    observe,
    signal,
    ...more,
  });
  return {
    host,
    records,
    uses,
    events,
    lines,
    puller,
    jobs,
    time,
    engine,
    wanted,
    evictor,
    /** Adds an image that the agent pulled long ago. */
    pulled: (ref: string, bytes: number, value = 0): void => {
      host.add(ref, bytes);
      values.set(ref, value);
      records.addPull({
        engine: ENGINE,
        imageId: idOf(ref),
        ref,
        pulledAt: OLD,
        bytes,
        removedAt: undefined,
      });
    },
    /** Makes an image ready that the host has. */
    ready: async (ref: string): Promise<ReadyImage> => {
      puller.want('offer', [ref], 8);
      await setImmediate();
      const image = puller.get(ref);
      if (image === undefined) throw new Error(`${ref} is not ready`);
      return image;
    },
    evicted: (): unknown[] =>
      events.flatMap((event) => (event.kind === 'image-evicted' ? [event.image] : [])),
  };
}

describe('between the decision to use an image and the end of its job', () => {
  test('the image stays, also where its eviction was decided on before', async () => {
    const { evictor, host, pulled, puller, ready } = evicting();
    pulled(A, 900);
    const image = await ready(A);
    const listed = Promise.withResolvers<void>();
    host.onList = () => listed.promise;
    const room = evictor.makeRoom(0);
    await setImmediate();
    const held = puller.hold(image);
    listed.resolve();
    await room;
    expect(host.removed).toEqual([]);
    held[Symbol.dispose]();
    await evictor.makeRoom(0);
    expect(host.removed).toEqual([]);
  });

  test('the image of a job that an earlier agent began stays', async () => {
    const { evictor, host, jobs, pulled } = evicting();
    pulled(A, 900);
    jobs.push({ ...aJobOn('GPU-1', 'job'), image: idOf(A) });
    await evictor.makeRoom(0);
    expect(host.removed).toEqual([]);
    jobs.length = 0;
    await evictor.collect(new AbortController().signal);
    expect(host.removed).toEqual([idOf(A)]);
  });

  test('whatever happens meanwhile, no image is both used and removed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom(A, B), { maxLength: 12 }),
        async (s, claims) => {
          const { evictor, host, pulled, puller, uses } = evicting();
          const inUse: string[] = [];
          const broken: string[] = [];
          for (const ref of [A, B]) pulled(ref, 480);
          host.onList = () => s.schedule(Promise.resolve());
          host.onRemove = async (id) => {
            await s.schedule(Promise.resolve());
            if (inUse.includes(id)) broken.push(id);
          };
          puller.want('offer', [A, B], 8);
          const claim = async (ref: string): Promise<void> => {
            await s.schedule(Promise.resolve());
            const image = puller.get(ref);
            if (image === undefined) return;
            using _held = puller.hold(image);
            inUse.push(image.id);
            await s.schedule(Promise.resolve());
            if (!host.kept.has(image.id)) broken.push(image.id);
            await s.schedule(Promise.resolve());
            inUse.splice(inUse.indexOf(image.id), 1);
          };
          const work = [...claims.map(claim), evictor.makeRoom(0), evictor.makeRoom(100)];
          await s.waitFor(Promise.all(work));
          expect(broken).toEqual([]);
          for (const ref of [A, B]) expect(uses.isHeld([ref, idOf(ref)])).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a pull waits for the end of a removal, and brings the image again', async () => {
    const { evictor, host, pulled, puller, ready } = evicting();
    pulled(A, 900);
    await ready(A);
    const removal = Promise.withResolvers<void>();
    host.onRemove = () => removal.promise;
    const room = evictor.makeRoom(0);
    await vi.waitFor(() => expect(puller.state(A)).toBe('missing'));
    puller.want('offer', [A], 8);
    await setImmediate();
    expect(puller.state(A)).toBe('missing');
    removal.resolve();
    await room;
    await vi.waitFor(() => expect(puller.state(A)).toBe('ready'));
    expect(host.removed).toEqual([idOf(A)]);
    expect(host.kept.has(idOf(A))).toBe(true);
  });
});

describe('an eviction', () => {
  test('takes the least valuable of the agent’s own images, and says so', async () => {
    const { events, evictor, host, pulled, records } = evicting();
    host.add('owner/huge:latest', 300);
    pulled(A, 300, 5);
    pulled(B, 300, 9);
    await evictor.makeRoom(0);
    expect(host.removed).toEqual([idOf(A)]);
    expect(events).toEqual([
      { kind: 'image-evicted', image: A, id: idOf(A), freedBytes: 300, valuePerDay: 5, reason: 'high-mark' },
    ]);
    expect(records.pulls(ENGINE).map(({ removedAt }) => removedAt)).toEqual([NOW, undefined]);
  });

  test('makes room for a pull before it, and not twice at once', async () => {
    const { evicted, evictor, host, pulled } = evicting();
    for (const ref of [A, B]) pulled(ref, 300);
    await evictor.makeRoom(200);
    expect(host.removed).toEqual([]);
    await Promise.all([evictor.makeRoom(300), evictor.makeRoom(300), evictor.makeRoom(300)]);
    expect(evicted()).toEqual([A]);
  });

  test('leaves what open runs want', async () => {
    const { evicted, evictor, pulled, wanted } = evicting();
    pulled(A, 500);
    pulled(B, 400, 10);
    wanted.add(A);
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([B]);
  });

  test('of what open runs want happens only where claims go on after it', async () => {
    const { evicted, evictor, host, pulled, time, wanted } = evicting({ minFreeBytes: 200 });
    host.otherBytes = 850;
    pulled(A, 100);
    wanted.add(A);
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([]);
    host.otherBytes = 750;
    time.now += 60_000;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([A]);
  });

  test.each<[string, (given: ReturnType<typeof evicting>) => void]>([
    ['an image that has a name of the owner’s', ({ host }) => rename(host, [A, A_DIGEST, 'mine:1'])],
    ['an image that somebody loaded, which has no digest', ({ host }) => rename(host, [A])],
    ['an image that another agent or its owner pulled', ({ records }) => void records.own.splice(0)],
    ['a pinned one', ({ records }) => void records.pin({ ref: A, at: 0, by: 'owner' })],
    ['any where the engine may be another one', ({ engine }) => void (engine.key = undefined)],
    ['any of another engine’s pulls', ({ engine }) => void (engine.key = 'another')],
    ['what a container has', ({ host }) => setContainer(host)],
  ])('leaves %s', async (_, change) => {
    const given = evicting();
    given.pulled(A, 900);
    change(given);
    await given.evictor.makeRoom(0);
    expect(given.host.removed).toEqual([]);
    expect(given.events).toEqual([]);
  });

  test('names the image that the agent tests this host with', async () => {
    const { evictor, host } = evicting();
    host.add('sharedcloud-agent/test-container:1-amd64', 900);
    const { plan } = await evictor.plan('low', new AbortController().signal);
    expect(plan.kept).toMatchObject([{ reason: 'test-image' }]);
  });

  test('leaves an image that is pinned while others are removed', async () => {
    const { evictor, host, pulled, records } = evicting();
    pulled(A, 475);
    pulled(B, 475, 1);
    host.onRemove = () => void records.pin({ ref: B, at: 0, by: 'owner' });
    await evictor.makeRoom(400);
    expect(host.removed).toEqual([idOf(A)]);
  });

  test.each<[string, (host: ImageHost) => Promise<void> | void]>([
    ['fails to remove', () => Promise.reject(new AgentError('RUNTIME_FAILED', 'device or resource busy'))],
    ['refuses to remove', (host) => void (host.refused = idOf(A))],
  ])('takes the next image in place of one that the engine %s, and comes back to it', async (_, onRemove) => {
    const { evicted, evictor, host, lines, pulled, time } = evicting();
    for (const ref of [A, B]) pulled(ref, 450);
    host.onRemove = (id) => (id === idOf(A) ? onRemove(host) : undefined);
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([B]);
    host.otherBytes = 401;
    time.now += 60_000;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([B]);
    host.onRemove = () => undefined;
    host.refused = undefined;
    time.now += 600_000;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([B, A]);
    expect(logged(lines, 'image-eviction-failed').length).toBeLessThan(2);
  });

  test('goes on where the journal cannot be written, as on a full disk', async () => {
    const { evicted, evictor, host, lines, pulled, records } = evicting();
    for (const ref of [A, B, 'sharedcloud/gone:latest']) pulled(ref, 475);
    host.kept.delete(idOf('sharedcloud/gone:latest'));
    const write = vi.spyOn(records, 'removed').mockImplementation(() => {
      throw new AgentError('JOURNAL_UNUSABLE', 'database or disk is full');
    });
    await evictor.makeRoom(400);
    expect(evicted()).toEqual([A, B]);
    expect(logged(lines, 'image-removal-not-recorded')).toHaveLength(1);
    host.add(A, 950);
    await evictor.collect(new AbortController().signal);
    expect(evicted()).toEqual([A, B]);
    write.mockRestore();
  });

  test('takes an image whose tag has moved on, and one with the digest of its repository', async () => {
    const { evictor, host, pulled } = evicting();
    for (const ref of [A, B]) pulled(ref, 475);
    rename(host, []);
    rename(host, [B, `sharedcloud/b@sha256:${'b'.repeat(64)}`], B);
    await evictor.makeRoom(400);
    expect(host.removed.toSorted()).toEqual([idOf(A), idOf(B)]);
  });

  test('leaves what somebody removed and pulled again', async () => {
    const { evictor, host, pulled, records } = evicting();
    pulled(A, 900);
    host.kept.delete(idOf(A));
    await evictor.plan('marks', new AbortController().signal);
    host.add(A, 900);
    await evictor.makeRoom(0);
    expect(host.removed).toEqual([]);
    expect(records.pulls(ENGINE)).toMatchObject([{ removedAt: NOW }]);
  });

  test('leaves what somebody removed and pulled again while the disk had room', async () => {
    const { evictor, host, pulled } = evicting();
    pulled(A, 900);
    host.kept.delete(idOf(A));
    const end = new AbortController();
    const listed = Promise.withResolvers<void>();
    host.onList = () => listed.resolve();
    const working = evictor.work(end.signal);
    await listed.promise;
    end.abort();
    await working;
    host.add(A, 900);
    await evictor.makeRoom(0);
    expect(host.removed).toEqual([]);
  });

  test('lists the images of a full disk once a minute, however often claims ask for room', async () => {
    const { evictor, host, time } = evicting();
    host.otherBytes = 900;
    let lists = 0;
    host.onList = () => void (lists += 1);
    const end = new AbortController();
    const working = evictor.work(end.signal);
    await vi.waitFor(() => expect(lists).toBe(2));
    for (let asked = 0; asked < 20; asked += 1) {
      evictor.soon();
      await setImmediate();
    }
    expect(lists).toBe(2);
    time.now += 60_000;
    evictor.soon();
    await vi.waitFor(() => expect(lists).toBe(4));
    end.abort();
    await working;
  });

  test('stops once the disk has room, although more was meant to go', async () => {
    const { evicted, evictor, host, pulled } = evicting();
    for (const ref of [A, B]) pulled(ref, 475, 1);
    host.onRemove = () => void (host.otherBytes = -500);
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([A]);
  });

  test('that fails is logged once, and tried again after a while', async () => {
    const { evicted, evictor, host, lines, pulled, time } = evicting();
    pulled(A, 900);
    const failing = (): Promise<void> => Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'it is gone'));
    host.onList = failing;
    await evictor.makeRoom(0);
    host.onList = () => undefined;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([]);
    host.onList = failing;
    time.now += 10_000;
    await evictor.makeRoom(0);
    time.now += 10_000;
    host.onList = () => undefined;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([A]);
    const levels = logged(lines, 'image-eviction-failed').map(({ level }) => level);
    expect(levels).toEqual(['warn', 'debug']);
  });

  test('that frees nothing of the disk is not repeated for a while', async () => {
    const { evicted, evictor, lines, pulled, time } = evicting({
      disk: () => ({ freeBytes: 100, totalBytes: 1000 }),
    });
    pulled(A, 100);
    await evictor.makeRoom(0);
    pulled(B, 100);
    time.now += 60_000;
    await evictor.makeRoom(0);
    time.now += 60_000;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([A]);
    expect(logged(lines, 'image-eviction-vain')).toHaveLength(1);
    time.now += 30 * 60_000;
    await evictor.makeRoom(0);
    expect(evicted()).toEqual([A, B]);
  });

  test('ends the pulls that can wait before it looks for images', async () => {
    const ways: string[] = [];
    const { evictor, host } = evicting({ makeWay: () => void ways.push('made') });
    await evictor.makeRoom(0);
    expect(ways).toEqual([]);
    host.otherBytes = 900;
    await evictor.makeRoom(0);
    expect(ways).toEqual(['made']);
  });
});

describe('what the owner asks for', () => {
  const { signal } = new AbortController();

  test('is planned without removing anything', async () => {
    const { evictor, host, pulled } = evicting();
    pulled(A, 600, 1);
    pulled(B, 220, 2);
    const ids = async (until: 'marks' | 'low'): Promise<unknown[]> =>
      (await evictor.plan(until, signal)).plan.evicted.map(({ image }) => image.id);
    expect(await ids('marks')).toEqual([]);
    expect(await ids('low')).toEqual([idOf(A)]);
    expect(host.removed).toEqual([]);
  });

  test('goes down to the low mark, and says what could not go', async () => {
    const { events, evictor, host, pulled } = evicting();
    pulled(A, 450);
    pulled(B, 450);
    host.onRemove = (id) => (id === idOf(A) ? setContainer(host) : undefined);
    const { disk, plan } = await evictor.collect(signal);
    expect(disk).toMatchObject({ usedBytes: 900 });
    expect(plan.evicted).toEqual([]);
    expect(plan.kept.map(({ image, reason }) => [image.id, reason])).toEqual([
      [idOf(B), 'worth-keeping'],
      [idOf(A), 'in-use'],
    ]);
    host.onRemove = () => undefined;
    const again = await evictor.collect(signal);
    expect(again.plan.evicted.map(({ image }) => image.id)).toEqual([idOf(B)]);
    expect(events).toMatchObject([{ kind: 'image-evicted', reason: 'owner' }]);
  });

  test('is nothing where the disk is not known', async () => {
    const { evictor, pulled } = evicting({ disk: () => undefined });
    pulled(A, 900);
    await evictor.makeRoom(1e9);
    const { disk, plan } = await evictor.collect(signal);
    expect([disk, plan.evicted, plan.kept.length]).toEqual([undefined, [], 1]);
  });
});

function rename(host: ImageHost, names: readonly string[], ref = A): void {
  const kept = host.kept.get(idOf(ref));
  if (kept !== undefined) host.kept.set(idOf(ref), { ...kept, names });
}

function setContainer(host: ImageHost): void {
  const kept = host.kept.get(idOf(A));
  if (kept !== undefined) kept.hasContainer = true;
}
