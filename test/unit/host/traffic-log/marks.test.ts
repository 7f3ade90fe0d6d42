import { expect, test } from 'vitest';
import {
  gapsOf,
  MARK_MS,
  type Mark,
  type MarkKind,
  markLine,
  markOf,
} from '../../../../src/host/traffic-log/marks.ts';

const MINUTE = MARK_MS;
const KINDS: Readonly<Record<string, MarkKind>> = { b: 'begins', r: 'runs', e: 'ends', l: 'lost' };

/** One mark a minute, from minute 0 on: its first letter, or `.` for none. */
const marks = (text: string): readonly Mark[] =>
  text.split('').flatMap((letter, minute) => {
    const kind = KINDS[letter];
    return kind === undefined ? [] : [{ at: minute * MINUTE, kind }];
  });

test.each<[string, number, number, readonly (readonly [number, number])[]]>([
  ['brrrrrrrr', 2, 5, []],
  // The log has begun long ago.
  ['rrrrrrrrr', 2, 5, []],
  ['rrr', 2, 4, []],
  ['', 2, 5, [[2, 5]]],
  ['rrre...brrr', 1, 9, [[3, 7]]],
  // A crash leaves no end.
  ['rrrr...brrr', 1, 9, [[3, 7]]],
  // It hung.
  ['rrrr.....rr', 1, 9, [[3, 9]]],
  ['rre', 1, 9, [[2, 9]]],
  ['rrr', 1, 9, [[4, 9]]],
  ['..brr', 0, 3, [[0, 2]]],
  [
    'rre.brre.brr',
    0,
    10,
    [
      [2, 4],
      [7, 9],
    ],
  ],
])('with the marks “%s” of minutes %d to %d nothing was written in %j', (text, from, to, gaps) => {
  const found = gapsOf(marks(text), { fromMs: from * MINUTE, toMs: to * MINUTE });
  expect(found.map(({ fromMs, toMs }) => [fromMs / MINUTE, toMs / MINUTE])).toEqual(gaps);
});

test('where connections were lost, the second before is a gap', () => {
  const found = gapsOf(marks('rrlrr'), { fromMs: MINUTE, toMs: 4 * MINUTE });
  expect(found).toEqual([{ fromMs: 2 * MINUTE - 1_000, toMs: 2 * MINUTE }]);
});

test('a mark is read as it was written, and nothing else is one', () => {
  const mark = { at: Date.UTC(2026, 10, 26, 14, 3), kind: 'ends' } as const;
  expect(markOf(markLine(mark).trimEnd())).toEqual(mark);
  expect(markOf('2026-11-26T14:03:00.000Z log')).toBeUndefined();
  expect(markOf('yesterday log ends')).toBeUndefined();
});
