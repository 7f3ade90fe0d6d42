import { describe, expect, test } from 'vitest';
import { ByteBudget } from '../../../src/lib/byte-budget.ts';

const never = new AbortController().signal;

/** Asks for shares; `begun` lists those that were had, by their sizes. */
function asking(max: number) {
  const budget = new ByteBudget(max);
  const begun: number[] = [];
  const ask = async (bytes: number, signal = never) => {
    const share = await budget.take(bytes, signal);
    if (share !== undefined) begun.push(bytes);
    return share;
  };
  return { ask, begun };
}

/** Lets all that can go on go on. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

describe('a byte budget', () => {
  test('is shared by what fits into it; the rest waits', async () => {
    const { ask, begun } = asking(10);
    const [first] = await Promise.all([ask(6), ask(4)]);
    const third = ask(5);
    await settled();
    expect(begun).toEqual([6, 4]);
    first?.[Symbol.dispose]();
    await third;
    expect(begun).toEqual([6, 4, 5]);
  });

  test('serves in the order of asking, so that many small ones do not hold up a large one', async () => {
    const { ask, begun } = asking(10);
    const first = await ask(3);
    const [large, small] = [ask(9), ask(1)];
    await settled();
    expect(begun).toEqual([3]);
    first?.[Symbol.dispose]();
    await Promise.all([large, small]);
    expect(begun).toEqual([3, 9, 1]);
  });

  test('gives what is larger than all of it to one at a time', async () => {
    const { ask, begun } = asking(10);
    const first = await ask(30);
    const second = ask(20);
    await settled();
    expect(begun).toEqual([30]);
    first?.[Symbol.dispose]();
    await second;
    expect(begun).toEqual([30, 20]);
  });

  test('follows a share that turns out smaller or larger', async () => {
    const { ask, begun } = asking(10);
    const share = await ask(10);
    const second = ask(5);
    share?.resize(4);
    await second;
    share?.resize(40);
    const third = ask(1);
    await settled();
    expect(begun).toEqual([10, 5]);
    share?.[Symbol.dispose]();
    await third;
    expect(begun).toEqual([10, 5, 1]);
  });

  test('forgets who stops waiting, and serves the next', async () => {
    const { ask, begun } = asking(10);
    const stopped = new AbortController();
    const first = await ask(8);
    const [second, third] = [ask(9, stopped.signal), ask(2)];
    await settled();
    stopped.abort();
    expect(await second).toBeUndefined();
    await third;
    expect(begun).toEqual([8, 2]);
    expect(await ask(1, stopped.signal)).toBeUndefined();
    first?.[Symbol.dispose]();
    await ask(8);
    expect(begun).toEqual([8, 2, 8]);
  });

  test('takes a share back once', async () => {
    const { ask, begun } = asking(10);
    const [first] = await Promise.all([ask(6), ask(4)]);
    first?.[Symbol.dispose]();
    first?.[Symbol.dispose]();
    first?.resize(0);
    const third = ask(7);
    await settled();
    expect(begun).toEqual([6, 4]);
    void third;
  });
});
