import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sanitize } from '../../../src/broker/sanitize.ts';

describe('sanitize', () => {
  const token = 'abcdef0123456789';

  test('removes every copy of the token, anywhere in the text', () => {
    const piece = fc.oneof(fc.constant(token), fc.string({ unit: 'binary' }), fc.constant(' '.repeat(600)));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = sanitize(pieces.join(''), token);
        expect(text).not.toContain(token);
        expect(text.length).toBeLessThanOrEqual(501);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  test('removes the beginning of a token that is cut in two', () => {
    for (let at = 3_970; at < 4_010; at += 1) {
      expect(sanitize(`${' '.repeat(at)}${token} and more`, token)).not.toContain('abcdef');
    }
  });
});
