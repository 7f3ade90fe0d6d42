import { expect, test } from 'vitest';
import { cachedFor, sharedFor } from '../../../src/lib/cached.ts';

const never = new AbortController().signal;

test('an answer is given again for its time, a failure is not', async () => {
  let now = 0;
  const answers = ['a', new Error('away'), 'b', 'c'];
  const ask = cachedFor(
    100,
    () => now,
    async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  );
  expect(await ask(never)).toBe('a');
  now = 99;
  expect(await ask(never)).toBe('a');
  now = 100;
  await expect(ask(never)).rejects.toThrow('away');
  expect(await ask(never)).toBe('b');
  now = 199;
  expect(await ask(never)).toBe('b');
  now = 200;
  expect(await ask(never)).toBe('c');
});

test('those who ask at the same time share one call', async () => {
  let calls = 0;
  const ask = sharedFor(
    100,
    () => 0,
    async () => (calls += 1),
  );
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  expect(await ask()).toBe(1);
});
