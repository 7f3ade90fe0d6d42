import { describe, expect, test } from 'vitest';
import { FunctionCode } from '../../../../src/agent/market/function-code.ts';
import type { FunctionSpec, FunctionWithCode } from '../../../../src/domain/run.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { aFunction } from '../../../support/domain.ts';

const never = new AbortController().signal;
const LONGEST = LIMITS.broker.code.max;

/** The code of functions at a broker that a test may change, and what was asked of it. */
function remembering(bytes = 10) {
  const asked: string[] = [];
  const broker = {
    changes: {} as Partial<FunctionSpec>,
    isGone: false,
    function: (uuid: string): Promise<FunctionWithCode | undefined> => {
      asked.push(uuid);
      const found = { spec: aFunction({ uuid, ...broker.changes }), code: new Uint8Array(bytes) };
      return Promise.resolve(broker.isGone ? undefined : found);
    },
  };
  return { asked, broker, code: new FunctionCode(broker) };
}

describe('the code of a function', () => {
  test('is fetched once, when the function is found', async () => {
    const { asked, code } = remembering();
    expect(await code.find('f', never)).toEqual(aFunction({ uuid: 'f' }));
    expect((await code.of(aFunction({ uuid: 'f' }), never))?.length).toBe(10);
    expect(asked).toEqual(['f']);
  });

  test('that was used longest ago is forgotten, and fetched again for a claim', async () => {
    const { asked, code } = remembering(LONGEST);
    for (const uuid of ['a', 'b', 'c']) await code.find(uuid, never);
    await code.of(aFunction({ uuid: 'a' }), never);
    await code.find('d', never);
    expect(asked).toEqual(['a', 'b', 'c', 'd']);
    expect((await code.of(aFunction({ uuid: 'b' }), never))?.length).toBe(LONGEST);
    await code.of(aFunction({ uuid: 'a' }), never);
    expect(asked).toEqual(['a', 'b', 'c', 'd', 'b']);
  });

  test('is undefined where the function has changed since, which is known then', async () => {
    const { broker, code } = remembering();
    const before = aFunction({ uuid: 'f' });
    await code.find('f', never);
    broker.changes = { runtime: 'node24' };
    expect(await code.of(before, never)).toBeDefined();
    const now = await code.find('f', never);
    expect(await code.of(before, never)).toBeUndefined();
    expect(now === undefined ? undefined : await code.of(now, never)).toBeDefined();
  });

  test('has as many bytes as are remembered, and may have as many as any where it is not', async () => {
    const { code } = remembering();
    expect(code.maxBytes(aFunction({ uuid: 'f' }))).toBe(LONGEST);
    await code.find('f', never);
    expect(code.maxBytes(aFunction({ uuid: 'f' }))).toBe(10);
  });

  test('of a function that is gone cannot be had', async () => {
    const { broker, code } = remembering();
    broker.isGone = true;
    expect(await code.find('f', never)).toBeUndefined();
    await expect(code.of(aFunction({ uuid: 'f' }), never)).rejects.toMatchObject({
      code: 'BROKER_NOT_FOUND',
    });
  });

  test('is fetched once for several claims at the same time', async () => {
    const { asked, code } = remembering();
    await Promise.all(['f', 'f', 'f'].map((uuid) => code.of(aFunction({ uuid }), never)));
    expect(asked).toEqual(['f']);
  });
});
