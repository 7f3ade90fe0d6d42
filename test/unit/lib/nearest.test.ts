import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { didYouMean, editDistance, nearest } from '../../../src/lib/nearest.ts';

const NAMES = ['ask-price', 'slots-per-gpu', 'cpu-slots', 'job-cpus'];

describe('the nearest name', () => {
  test.each([
    ['ask-prize', 'ask-price'],
    ['ASK_PRICE', 'ask-price'],
    ['askprice', 'ask-price'],
    ['sltos-per-gpu', 'slots-per-gpu'],
    ['colour', undefined],
    ['', undefined],
  ])('to %j is %j', (text, name) => {
    expect(nearest(text, NAMES)).toBe(name);
  });

  test('ends a sentence, or leaves it as it is', () => {
    expect(didYouMean('cpu-slot', NAMES)).toBe(' (did you mean cpu-slots?)');
    expect(didYouMean('zzz', NAMES)).toBe('');
  });
});

describe('the distance of two words', () => {
  test.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ])('%s and %s: %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is the same both ways, and 0 only for the same word', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});
