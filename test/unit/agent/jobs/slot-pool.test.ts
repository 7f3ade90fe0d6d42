import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SlotLease, SlotPool } from '../../../../src/agent/jobs/slot-pool.ts';
import type { Slot } from '../../../../src/domain/offer.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';

const slots = (gpus: number, each: number) =>
  Array.from({ length: gpus * each }, (_, index) => ({
    id: `GPU-${index % gpus}#${Math.floor(index / gpus)}`,
    gpu: `GPU-${index % gpus}`,
  }));

/** A pool with one offer of so many slots, and how often a slot was announced as free. */
function poolOf(gpus: number, each: number) {
  const pool = new SlotPool();
  const freed = new Notifier();
  const seen = { freed: 0 };
  freed.subscribe(() => void (seen.freed += 1));
  return { pool, offer: pool.add(slots(gpus, each), freed), seen };
}

describe('the slots of an offer', () => {
  test('spread jobs over GPUs before sharing one', () => {
    const { offer } = poolOf(2, 2);
    const taken = (): (string | null | undefined)[] => [offer.take()?.slot.gpu, offer.take()?.slot.gpu];
    expect(taken().toSorted()).toEqual(['GPU-0', 'GPU-1']);
    expect(taken().toSorted()).toEqual(['GPU-0', 'GPU-1']);
    expect(offer.take()).toBeUndefined();
  });

  test('are never leased twice, whatever is taken and disposed of', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (takes) => {
        const { offer } = poolOf(3, 2);
        const held: SlotLease[] = [];
        for (const take of takes) {
          if (take) {
            const lease = offer.take();
            expect(lease === undefined).toBe(held.length === 6);
            if (lease !== undefined) {
              expect(held.map(({ slot }) => slot.id)).not.toContain(lease.slot.id);
              held.push(lease);
            }
          } else {
            held.shift()?.[Symbol.dispose]();
          }
          expect(offer.free).toBe(6 - held.length);
          expect(offer.busy).toBe(held.length > 0);
        }
      }),
    );
  });

  test('are leased for long enough, the shortest such window first', () => {
    const { offer } = poolOf(3, 1);
    const left = new Map([
      ['GPU-1', 20],
      ['GPU-2', 50],
    ]);
    const leftMs = ({ gpu }: Slot): number => left.get(gpu ?? '') ?? Infinity;
    expect(offer.take(leftMs, () => 60)?.slot.gpu).toBe('GPU-0');
    expect(offer.take(leftMs, () => 60)).toBeUndefined();
    expect(offer.take(leftMs, () => 20)?.slot.gpu).toBe('GPU-1');
    expect(offer.take(leftMs, () => 20)?.slot.gpu).toBe('GPU-2');
  });

  test('have numbers from 0 on, of which no two that are leased have the same', () => {
    const { offer } = poolOf(3, 2);
    const held = [1, 2, 3].map(() => offer.take());
    expect(held.map((lease) => lease?.number)).toEqual([0, 1, 2]);
    held[1]?.[Symbol.dispose]();
    expect([offer.take()?.number, offer.take()?.number]).toEqual([1, 3]);
  });

  test('on a cordoned GPU are not free, and a job that runs there keeps its slot', () => {
    const { offer, pool, seen } = poolOf(2, 1);
    const lease = offer.take();
    pool.cordon('all');
    expect(offer.free).toBe(0);
    expect(offer.take()).toBeUndefined();
    lease?.[Symbol.dispose]();
    expect(offer.free).toBe(0);
    pool.cordon(new Set(['GPU-0']));
    expect(offer.take()?.slot.gpu).toBe('GPU-1');
    expect(seen.freed).toBe(3);
  });

  test('on a GPU that runs one job at a time are one, and all again without that limit', () => {
    const { offer, pool, seen } = poolOf(2, 2);
    pool.limitToOneJob(new Set(['GPU-0']));
    pool.limitToOneJob(new Set(['GPU-0']));
    expect([offer.free, seen.freed]).toEqual([3, 1]);
    const leases = [offer.take(), offer.take(), offer.take()];
    expect(leases.map((lease) => lease?.slot.gpu).toSorted()).toEqual(['GPU-0', 'GPU-1', 'GPU-1']);
    expect([offer.free, offer.take()]).toEqual([0, undefined]);
    pool.limitToOneJob(new Set());
    expect(offer.free).toBe(1);
  });

  test('are all cordoned with the last of their GPUs', () => {
    const { offer, pool } = poolOf(2, 2);
    pool.cordon(new Set(['GPU-0']));
    expect(offer.areCordoned).toBe(false);
    pool.cordon(new Set(['GPU-0', 'GPU-1']));
    expect(offer.areCordoned).toBe(true);
    pool.cordon('all');
    expect(offer.areCordoned).toBe(true);
    pool.cordon(new Set());
    expect(offer.areCordoned).toBe(false);
  });

  test('are cordoned too where their offer comes later', () => {
    const pool = new SlotPool();
    pool.cordon(new Set(['GPU-0']));
    expect(pool.add(slots(2, 1), new Notifier()).free).toBe(1);
  });

  test('are leased by recovered jobs before their offer has added them', () => {
    const pool = new SlotPool();
    const lease = pool.lease({ id: 'GPU-0#0', gpu: 'GPU-0' });
    const offer = pool.add(slots(1, 2), new Notifier());
    expect(offer.free).toBe(1);
    lease[Symbol.dispose]();
    expect(offer.free).toBe(2);
  });

  test('keep the numbers that recovered jobs had, and give new jobs others', () => {
    const pool = new SlotPool();
    const lease = pool.lease({ id: 'GPU-0#0', gpu: 'GPU-0' }, 1);
    const offer = pool.add(slots(1, 3), new Notifier());
    expect([lease.number, offer.take()?.number, offer.take()?.number]).toEqual([1, 0, 2]);
  });

  test('stay leased by the next job where a lease is disposed of twice', () => {
    const { offer } = poolOf(1, 1);
    const first = offer.take();
    first?.[Symbol.dispose]();
    offer.take();
    first?.[Symbol.dispose]();
    expect(offer.free).toBe(0);
  });

  test('of all offers count for the host', () => {
    const { pool } = poolOf(2, 2);
    pool.add([{ id: 'cpu#0', gpu: null }], new Notifier());
    expect(pool.size).toBe(5);
    expect([...pool.gpus]).toEqual(['GPU-0', 'GPU-1']);
  });
});
