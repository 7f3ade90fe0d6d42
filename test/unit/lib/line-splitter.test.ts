import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineSplitter } from '../../../src/lib/line-splitter.ts';

/** The lines of a text that comes in these pieces, with its last line. */
function linesOf(pieces: readonly string[], maxLength = 10): readonly string[] {
  const splitter = new LineSplitter(maxLength);
  const lines = pieces.flatMap((piece) => splitter.push(piece));
  const last = splitter.end();
  return last === undefined ? lines : [...lines, last];
}

describe('lines of text in pieces', () => {
  test.each<readonly [readonly string[], readonly string[]]>([
    [[], []],
    [[''], []],
    [['a\nb\n'], ['a', 'b']],
    [
      ['a', 'b\nc'],
      ['ab', 'c'],
    ],
    [['a\r\n\r\nb\r'], ['a', '', 'b']],
    [
      ['\n', '\n'],
      ['', ''],
    ],
    [['0123456789\n01234567890\na\n'], ['0123456789', 'a']],
    [['01234567890', '1', '2\na\n'], ['a']],
    [
      ['01234567890', '1\n', '2\na'],
      ['2', 'a'],
    ],
    [['01234567890'], []],
  ])('%j: %j', (pieces, lines) => expect(linesOf(pieces)).toEqual(lines));

  test('are the same however the text is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r') });
    const same = fc.property(fc.array(text), (pieces) => {
      expect(linesOf(pieces, 4)).toEqual(linesOf([pieces.join('')], 4));
    });
    fc.assert(same);
  });
});
