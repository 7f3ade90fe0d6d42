import { beforeEach, expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { HostImages } from '../../../../src/agent/images/host-images.ts';
import type { CollectorPlan } from '../../../../src/agent/images/image-keeping.ts';
import type { HeldImage, KeepReason } from '../../../../src/domain/image-eviction.ts';
import type { AuditEntry } from '../../../../src/domain/ports/decision-store.ts';
import type { ImagePin } from '../../../../src/domain/ports/image-records.ts';

const NOW = 1_000_000;
const ALICE = { by: 'alice', from: 'a socket' };
const DISK = { usedBytes: 90, totalBytes: 100, high: 0.85, low: 0.8 };
const { signal } = new AbortController();

let pins: Map<string, ImagePin>;
let audit: AuditEntry[];
let events: AgentEvent[];
let planned: string[];

beforeEach(() => {
  pins = new Map();
  audit = [];
  events = [];
  planned = [];
});

test('lists images, the most valuable first, with what is theirs alone and why they stay', async () => {
  const { images } = await imagesOf(
    planOf(
      [held('big', { bytes: 50 }), 'owners-image'],
      [held('dear', { valuePerDay: 7 }), 'in-use'],
      [held('cheap', { valuePerDay: 3, pulledAt: 5 }), undefined],
    ),
  ).list(signal);
  expect(images).toMatchObject([
    { id: 'dear', keep: 'in-use', valuePerDay: 7 },
    { id: 'cheap', keep: undefined, pulledAt: 5, usedAt: 42, bytes: 110, ownBytes: 10 },
    { id: 'big', keep: 'owners-image', pulledAt: undefined, bytes: 150, ownBytes: 50 },
  ]);
  expect(planned).toEqual(['marks']);
});

test('a dry run names what would go, and removes nothing', async () => {
  const plan = planOf([held('a'), undefined], [held('b'), 'pinned']);
  const { kept, removed } = await imagesOf(plan).gc(true, ALICE, signal);
  expect(removed).toEqual([{ id: 'a', names: ['a:latest'], valuePerDay: 0, freedBytes: 10 }]);
  expect(kept).toMatchObject([{ id: 'b', keep: 'pinned' }]);
  expect(planned).toEqual(['low']);
  expect(events).toEqual([]);
});

test('a collection is recorded with who asked for it', async () => {
  await imagesOf(planOf([held('a'), undefined], [held('b'), undefined])).gc(false, ALICE, signal);
  expect(planned).toEqual(['collect']);
  expect(events).toEqual([{ kind: 'images-collected', removed: 2, freedBytes: 20, ...ALICE }]);
});

test('an image is pinned by its canonical reference, once, and both changes are recorded', () => {
  const images = imagesOf(planOf());
  const pin = { ref: 'python:latest', at: NOW, by: 'alice' };
  expect(images.pin('docker.io/library/python', ALICE)).toEqual({ changed: true, pin });
  expect(images.pin('python:latest', { ...ALICE, by: 'bob' })).toEqual({ changed: false, pin });
  expect(images.pins()).toEqual([pin]);
  expect(images.unpin(' python ', ALICE)).toEqual({ changed: true, ref: 'python:latest' });
  expect(images.unpin('python', ALICE)).toEqual({ changed: false, ref: 'python:latest' });
  expect(events.map(({ kind }) => kind)).toEqual(['image-pinned', 'image-unpinned']);
  expect(audit).toMatchObject([
    { action: 'image-pin', by: 'alice' },
    { action: 'image-unpin', by: 'alice' },
  ]);
});

test.each(['', 'Not An Image', 'sha256:0123456789abcdef', 'x'.repeat(600)])('%j is no image', (name) => {
  const images = imagesOf(planOf());
  expect(() => images.pin(name, ALICE)).toThrow(expect.objectContaining({ code: 'IMAGE_NAME_INVALID' }));
  expect(() => images.unpin(name, ALICE)).toThrow(expect.objectContaining({ code: 'IMAGE_NAME_INVALID' }));
});

test('pins need no engine, and without one there are no images', async () => {
  const images = imagesOf(undefined);
  expect(images.pin('python', ALICE)).toMatchObject({ changed: true });
  expect(await images.list(signal)).toEqual({ disk: undefined, images: [] });
  await expect(images.gc(true, ALICE, signal)).rejects.toMatchObject({ code: 'IMAGES_UNKNOWN' });
});

/** Images that share a layer of 100 bytes, each with why it stays; undefined: it goes. */
function planOf(...all: readonly (readonly [HeldImage, KeepReason | undefined])[]): CollectorPlan {
  return {
    disk: DISK,
    images: all.map(([image]) => ({ refs: [`${image.id}:latest`], held: image })),
    plan: {
      evicted: all.flatMap(([image, reason]) => (reason === undefined ? [{ image, freedBytes: 10 }] : [])),
      kept: all.flatMap(([image, reason]) => (reason === undefined ? [] : [{ image, reason }])),
    },
  };
}

function held(
  id: string,
  { bytes = 10, ...more }: Partial<HeldImage> & { readonly bytes?: number } = {},
): HeldImage {
  const layers = [
    { digest: 'shared', bytes: 100 },
    { digest: `of ${id}`, bytes },
  ];
  const unused = { isPinned: false, hasContainer: false, isNeeded: false, isTestImage: false };
  return { id, layers, valuePerDay: 0, pulledAt: undefined, ...unused, ...more };
}

function imagesOf(plan: CollectorPlan | undefined): HostImages {
  const planFor = (what: string, known: CollectorPlan): Promise<CollectorPlan> => {
    planned.push(what);
    return Promise.resolve(known);
  };
  return new HostImages({
    records: {
      pins: () => [...pins.values()],
      pin: (pin, entry) => {
        pins.set(pin.ref, pin);
        audit.push(entry);
        return true;
      },
      unpin: (ref, entry) => {
        const changed = pins.delete(ref);
        if (changed) audit.push(entry);
        return changed;
      },
    },
    collector: plan && {
      plan: (until) => planFor(until, plan),
      collect: () => planFor('collect', plan),
    },
    usedAt: (ref) => (ref === 'cheap:latest' ? 42 : undefined),
    clock: { now: () => NOW, monotonic: () => NOW },
    detach: signal,
    observe: (event) => events.push(event),
  });
}
