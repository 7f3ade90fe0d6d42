import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../../src/lib/heap.ts';

test('items are taken in order, also while others are added', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined, freq: 3 })), (steps) => {
      const heap = new Heap<number>((a, b) => a < b);
      let model: number[] = [];
      for (const step of steps) {
        if (step === undefined) {
          model.sort((a, b) => a - b);
          expect(heap.take()).toBe(model[0]);
          model = model.slice(1);
        } else {
          heap.add(step);
          model.push(step);
        }
      }
      for (const item of model.sort((a, b) => a - b)) expect(heap.take()).toBe(item);
      expect(heap.take()).toBeUndefined();
    }),
  );
});
