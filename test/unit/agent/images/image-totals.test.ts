import { expect, test, vi } from 'vitest';
import { ImageTotals } from '../../../../src/agent/images/image-totals.ts';

const IMAGES = [
  { pulledAt: 1, layers: [layer('base', 100), layer('own', 5)] },
  { pulledAt: undefined, layers: [layer('base', 100)] },
];

test('the engine is asked once a minute, and a layer that others have too is theirs', async () => {
  let now = 0;
  let asked = 0;
  const totals = new ImageTotals({
    images: () => {
      asked += 1;
      return Promise.resolve(IMAGES);
    },
    clock: { monotonic: () => now },
    signal: new AbortController().signal,
  });
  expect(totals.glance()).toBeUndefined();
  const known = { agent: { images: 1, bytes: 5 }, other: { images: 1, bytes: 100 } };
  await vi.waitFor(() => expect(totals.glance()).toEqual(known));
  expect(asked).toBe(1);
  now = 60_000;
  totals.glance();
  expect(asked).toBe(2);
});

test('an engine that does not answer leaves no old figures, and one that answers later new ones', async () => {
  let now = 0;
  let answers: () => Promise<typeof IMAGES> = () => Promise.resolve(IMAGES);
  const totals = new ImageTotals({
    images: () => answers(),
    clock: { monotonic: () => now },
    signal: new AbortController().signal,
  });
  totals.glance();
  await vi.waitFor(() => expect(totals.glance()).toBeDefined());
  answers = () => Promise.reject(new Error('gone'));
  now = 60_000;
  totals.glance();
  await vi.waitFor(() => expect(totals.glance()).toBeUndefined());
  answers = () => Promise.resolve(IMAGES);
  now = 120_000;
  totals.glance();
  await vi.waitFor(() => expect(totals.glance()).toBeDefined());
});

function layer(digest: string, bytes: number) {
  return { digest, bytes };
}
