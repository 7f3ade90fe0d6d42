import { describe, expect, test } from 'vitest';
import { choosePrefetch } from '../../../src/domain/image-prefetch.ts';

const GB = 1e9;
/** A cent per GB, in micro-dollars per byte. */
const LIMITS = { costPerByte: 10_000 / GB, roomBytes: 10 * GB };

const candidate = (ref: string, valuePerDay: number, bytes = GB) => ({ ref, valuePerDay, bytes });

describe('an image is pulled ahead', () => {
  test('where three days of its value exceed the cost of its pull', () => {
    expect(choosePrefetch([candidate('a', 3_333)], LIMITS)).toBeUndefined();
    expect(choosePrefetch([candidate('a', 3_334)], LIMITS)?.ref).toBe('a');
  });

  test('where it gains most after its cost, and by its name among equals', () => {
    const [large, small] = [candidate('large', 20_000, 5 * GB), candidate('small', 10_000)];
    expect(choosePrefetch([large, small], LIMITS)?.ref).toBe('small');
    expect(choosePrefetch([candidate('b', 9_000), candidate('a', 9_000)], LIMITS)?.ref).toBe('a');
  });

  test('only where there is room for it', () => {
    const [huge, small] = [candidate('huge', 1e9, 11 * GB), candidate('small', 10_000)];
    expect(choosePrefetch([huge, small], LIMITS)?.ref).toBe('small');
    expect(choosePrefetch([huge], { ...LIMITS, costPerByte: 0 })).toBeUndefined();
  });

  test('never without any value, however cheap pulls are', () => {
    expect(choosePrefetch([candidate('a', 0)], { ...LIMITS, costPerByte: 0 })).toBeUndefined();
  });
});
