import { expect, test } from 'vitest';
import { idleLater, idleSinceJobs, type SlotUse } from '../../../../src/agent/pricing/slot-idleness.ts';

test('time counts as idle where a slot could take a job at its beginning and its end', () => {
  const before: SlotUse[] = [use('a', 'open'), use('b', 'open'), use('c', 'closed'), use('d', 'busy')];
  const now: SlotUse[] = [use('a', 'open'), use('b', 'closed'), use('c', 'open'), use('d', 'open')];
  expect(idleLater({ a: 5, b: 5, c: 5, gone: 5 }, before, now, 10)).toEqual({ a: 15, b: 5, c: 5, d: 0 });
});

test('a job ends the idle time of its slot', () => {
  expect(idleLater({ a: 5 }, [use('a', 'open')], [use('a', 'busy')], 10)).toEqual({ a: 0 });
  const short = { slot: 'a', from: 90, until: 92, ask: 1, isPaid: true };
  expect(idleSinceJobs({ a: 50, b: 50 }, [short], 100)).toEqual({ a: 8, b: 50 });
});

function use(id: string, state: SlotUse['state']): SlotUse {
  return { id, state };
}
