import { describe, expect, test } from 'vitest';
import { EventEncoder } from '../../../src/function/event-encoder.ts';
import { LIMITS } from '../../../src/limits.ts';

const MB = 1024 * 1024;
const copies = (bytes: number, text: string): string => text.repeat(bytes / text.length);

describe('the event of a Node.js job', () => {
  test.each([
    ['a text of 3 MB', `('${copies(3 * MB, 'x')}',)`],
    ['4 MB of empty tuples', `(${copies(4 * MB - 100, '(),')})`],
    ['1 MB of numbers', `(${copies(MB, '12345,')})`],
    ['1 MB of nested lists', `(${copies(MB, '[[[1]]],')})`],
    ['1 MB of texts', `(${copies(MB, "'text',")})`],
  ])('may have %s', async (_, args) => {
    const json: unknown = JSON.parse(await new EventEncoder().encode(args));
    expect(Array.isArray(json)).toBe(true);
  });

  test.each(['(1,', `(${copies(MB, '1,')}oops)`])('that is no literal is FUNCTION_INVALID', async (args) => {
    await expect(new EventEncoder().encode(args)).rejects.toMatchObject({ code: 'FUNCTION_INVALID' });
  });

  test('that takes too much memory is FUNCTION_INVALID, and those after it are encoded', async () => {
    const encoder = new EventEncoder();
    const greedy = `(${copies(LIMITS.broker.arguments.max - 100, '1+2j,')})`;
    const [first, second] = await Promise.allSettled([
      encoder.encode(greedy),
      encoder.encode(`('${copies(MB, 'x')}',)`),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'FUNCTION_INVALID' } });
    expect(second.status).toBe('fulfilled');
  });

  test('is the same whichever way it is encoded', async () => {
    const encoder = new EventEncoder();
    const rest = 'None, True, -0.0, 2**3, 1+2j'.replace('2**3', '99999999999999999999');
    const short = await encoder.encode(`('', ${rest}, {'a': b'x'}, {1, 2})`);
    const text = 'x'.repeat(LIMITS.broker.listedArguments.max);
    const long = await encoder.encode(`('${text}', ${rest}, {'a': b'x'}, {1, 2})`);
    expect(long).toBe(short.replace('""', `"${text}"`));
  });
});
