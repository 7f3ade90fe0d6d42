import { expect, test } from 'vitest';
import { AnswerEncoder } from '../../../src/web-server/answer-encoder.ts';

const LONG = { text: 'ab'.repeat(20_000) };

test('only large answers are compressed, and only so many at once', async () => {
  const encoder = new AnswerEncoder();
  const encodingOf = async (answer: object) => (await encoder.encode(answer, 'gzip, br')).encoding;
  expect(await encodingOf({ text: 'short' })).toBe('identity');
  const many = await Promise.all(Array.from({ length: 6 }, () => encodingOf(LONG)));
  expect(many).toEqual(['br', 'br', 'br', 'br', 'identity', 'identity']);
  expect(await encodingOf(LONG)).toBe('br');
});
