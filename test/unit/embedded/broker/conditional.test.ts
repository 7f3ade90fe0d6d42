import { expect, test } from 'vitest';
import { isCurrent, preferredWait } from '../../../../src/embedded/broker/http/conditional.ts';

test.each([
  [undefined, 0],
  ['', 0],
  ['wait=25', 25],
  ['Wait = "25"', 25],
  ['respond-async, wait=7', 7],
  ['wait=7; foo', 7],
  ['wait=61', 60],
  ['wait=-1', 0],
  ['wait=soon', 0],
  ['await=9', 0],
  [['respond-async', 'wait=8'], 8],
])('Prefer: %s asks for a wait of %i s', (prefer, seconds) => {
  expect(preferredWait(prefer)).toBe(seconds);
});

test.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('If-None-Match: %s matches "a": %s', (known, current) => {
  expect(isCurrent(known, '"a"')).toBe(current);
});
