import { expect, test } from 'vitest';
import { OneAtATime } from '../../../src/lib/one-at-a-time.ts';

test('each turn begins when the one before it has ended, in the order in which they were asked for', async () => {
  const turns = new OneAtATime();
  const steps: string[] = [];
  const work = async (name: string): Promise<void> => {
    using _ = await turns.turn();
    steps.push(`${name} begins`);
    await Promise.resolve();
    steps.push(`${name} ends`);
  };
  await Promise.all([work('a'), work('b'), work('c')]);
  expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('a turn that fails ends all the same', async () => {
  const turns = new OneAtATime();
  const failing = async (): Promise<never> => {
    using _ = await turns.turn();
    throw new Error('it failed');
  };
  await expect(failing()).rejects.toThrow('it failed');
  using _ = await turns.turn();
});
