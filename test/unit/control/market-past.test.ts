import { expect, test } from 'vitest';
import { type PastReader, readPast } from '../../../src/control/market-past.ts';
import { finish } from '../../../src/lib/slices.ts';

const RUN = {
  run: 'r',
  function: 'f',
  baseGpu: 'big',
  bid: 0.05,
  jobs: 2,
  firstSeen: 10,
  lastSeen: 20,
};
const KNOWN = { image: 'sharedcloud/a:1', runtime: 'python36', requiresGpu: true };

function readerOf(
  knowns: readonly (
    | typeof KNOWN
    | { readonly image: null; readonly runtime: string; readonly requiresGpu: boolean }
    | undefined
  )[],
  more: { readonly knownFrom?: number; readonly completeFrom?: number } = {},
): PastReader {
  return {
    *observed() {
      yield 'long';
      return { runs: knowns.map((known) => ({ ...RUN, known })), completeFrom: more.completeFrom ?? 0 };
    },
    coverage: () => ({ knownFrom: more.knownFrom, online: [{ from: 0, until: 50 }], paused: [] }),
  };
}

test('a run of the past names its image, and is unsuitable where the offer could never run it', () => {
  const knowns = [
    KNOWN,
    { ...KNOWN, requiresGpu: false },
    { ...KNOWN, runtime: 'cobol' },
    { ...KNOWN, image: null },
    undefined,
  ];
  const { runs } = finish(
    readPast(readerOf(knowns, { knownFrom: 5 }), { key: 'gpu:a', kind: 'gpu' }, 0, 100),
  );
  expect(runs.map(({ isUnsuitable }) => isUnsuitable)).toEqual([false, true, true, true, false]);
  expect(runs[0]).toMatchObject({ run: 'r', image: 'sharedcloud/a:1', baseGpu: 'big', jobs: 2 });
  expect(runs[4]?.image).toBe('');
});

test.each([
  ['nobody has looked', {}, 100],
  ['the history is young', { knownFrom: 30 }, 30],
  ['there were more runs than are read', { knownFrom: 5, completeFrom: 40 }, 40],
])('the past is known since then where %s', (_what, more, since) => {
  const { knownFrom } = finish(readPast(readerOf([KNOWN], more), { key: 'cpu', kind: 'cpu' }, 0, 100));
  expect(knownFrom).toBe(since);
});
