import { expect } from 'vitest';

/* Vitest's asymmetric matchers, typed as what they stand for is: unknown. */

export const aText: unknown = expect.any(String);
export const aList: unknown = expect.any(Array);
export const textWith = (part: string | RegExp): unknown => expect.stringMatching(part);
/** A sum of money or a time that differs by rounding alone. */
export const about = (value: number): unknown => expect.closeTo(value, 10);
