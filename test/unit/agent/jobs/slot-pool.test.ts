import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { SlotPool } from '../../../../src/agent/jobs/slot-pool.ts';

const slots = (gpus: number, each: number) =>
  Array.from({ length: gpus * each }, (_, index) => ({
    id: `GPU-${index % gpus}#${Math.floor(index / gpus)}`,
    gpu: `GPU-${index % gpus}`,
  }));

describe('the slots of an offer', () => {
  test('spread jobs over GPUs before sharing one', () => {
    const pool = new SlotPool(slots(2, 2), () => undefined);
    expect([pool.take()?.gpu, pool.take()?.gpu].toSorted()).toEqual(['GPU-0', 'GPU-1']);
    expect([pool.take()?.gpu, pool.take()?.gpu].toSorted()).toEqual(['GPU-0', 'GPU-1']);
    expect(pool.take()).toBeUndefined();
  });

  test('are never handed out twice, whatever is taken and given back', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (takes) => {
        const pool = new SlotPool(slots(3, 2), () => undefined);
        const held: string[] = [];
        for (const take of takes) {
          if (take) {
            const slot = pool.take();
            expect(slot === undefined).toBe(held.length === 6);
            if (slot !== undefined) {
              expect(held).not.toContain(slot.id);
              held.push(slot.id);
            }
          } else {
            const back = held.shift();
            if (back !== undefined) pool.release(back);
          }
          expect(pool.free).toBe(6 - held.length);
        }
      }),
    );
  });

  test('on a GPU that is kept out are not free, and what runs there keeps its slot', () => {
    const onFree = vi.fn<() => void>();
    const pool = new SlotPool(slots(2, 1), onFree);
    const first = pool.take();
    pool.cordon(new Set(['GPU-0', 'GPU-1']));
    expect(pool.free).toBe(0);
    expect(pool.take()).toBeUndefined();
    pool.release(first?.id ?? '');
    expect(pool.free).toBe(0);
    pool.cordon(new Set(['GPU-0']));
    expect(pool.take()?.gpu).toBe('GPU-1');
    expect(onFree).toHaveBeenCalled();
  });
});
