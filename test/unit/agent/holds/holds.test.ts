import { describe, expect, test } from 'vitest';
import type { HoldSource } from '../../../../src/agent/holds/hold-source.ts';
import { Holds } from '../../../../src/agent/holds/holds.ts';
import { SlotPool } from '../../../../src/agent/jobs/slot-pool.ts';
import type { Hold, Target } from '../../../../src/domain/hold.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';

function sourceOf(holds: Map<Target, Hold>): HoldSource & { set(target: Target, hold?: Hold): void } {
  const changed = new Notifier();
  return {
    hold: (target) => holds.get(target),
    changed,
    set: (target, hold) => {
      if (hold === undefined) holds.delete(target);
      else holds.set(target, hold);
      changed.notify();
    },
  };
}

describe('holds', () => {
  const calendar = sourceOf(new Map([['cpu', { kind: 'calendar', why: 'night', until: 5 }]]));
  const manual = sourceOf(new Map());
  const holds = new Holds([calendar, manual]);

  test('show the strongest reason of a target, with its end', () => {
    expect(holds.of('cpu')).toEqual({ kind: 'calendar', why: 'night', until: 5 });
    manual.set('cpu', { kind: 'manual', why: 'paused' });
    expect(holds.of('cpu')).toEqual({ kind: 'manual', why: 'paused' });
    manual.set('cpu');
    expect(holds.of('cpu')?.kind).toBe('calendar');
    expect(holds.of('GPU-1')).toBeUndefined();
  });

  test('keep slots from being free, and wake the offer when that changes', () => {
    const freed = new Notifier();
    let wakes = 0;
    freed.subscribe(() => void (wakes += 1));
    const pool = new SlotPool((target) => holds.of(target) !== undefined);
    holds.changed.subscribe(() => pool.holdsChanged());
    const offer = pool.add(
      [
        { id: 'a', gpu: 'GPU-1' },
        { id: 'b', gpu: 'GPU-2' },
      ],
      freed,
    );
    manual.set('GPU-1', { kind: 'manual', why: 'paused' });
    expect([offer.free, wakes]).toEqual([1, 1]);
    const lease = offer.take();
    expect(lease?.slot.gpu).toBe('GPU-2');
    expect(offer.take()).toBeUndefined();
    manual.set('GPU-1');
    expect(offer.free).toBe(1);
  });
});
