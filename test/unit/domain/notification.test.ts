import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONFIRM_MS,
  elapse,
  isWorthWriting,
  NOTHING_SEEN,
  type Notice,
  type NotificationState,
  type Observation,
  observe,
  PER_CONDITION,
  PER_KIND,
  restored,
} from '../../../src/domain/notification.ts';
import { GATHER_MS, nextCheckMs, openProblems, takeDue } from '../../../src/domain/notification-due.ts';
import { CONDITION_KINDS, CONDITIONS, type ConditionKind } from '../../../src/domain/notification-kinds.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 27, 12);
const GRACE = CONDITION_KINDS['gpu-cordoned'].graceMs;
const SETTLE = CONDITION_KINDS['gpu-cordoned'].settleMs;

const on = (kind: ConditionKind, key = 'one'): Observation => ({
  kind,
  is: 'on',
  item: { key, name: key, why: 'a reason', hint: undefined },
});
const off = (kind: ConditionKind, key = 'one'): Observation => ({ kind, is: 'off', key });

/** An owner who is notified of what is due, with a clock of the test's. */
class Owner {
  state: NotificationState = NOTHING_SEEN;
  now = START;
  readonly notices: Notice[] = [];

  see(...observations: readonly Observation[]): void {
    for (const one of observations) this.state = observe(this.state, one, this.now);
  }

  /** In steps, as the agent looks. */
  pass(ms: number): void {
    for (let left = ms; left > 0; ) {
      const step = Math.min(left, nextCheckMs(this.state), 30_000);
      this.now += step;
      left -= step;
      this.state = elapse(this.state, step, this.now);
      const { notices, state } = takeDue(this.state, this.now);
      this.state = state;
      this.notices.push(...notices);
    }
  }

  get lines(): readonly string[] {
    return this.notices.map(
      ({ items, kind, state }) => `${kind} ${state} ${items.map(({ key }) => key).join()}`,
    );
  }
}

describe('an owner', () => {
  test('is notified once of what lasts, and once that it is over', () => {
    const owner = new Owner();
    owner.see(on('gpu-cordoned'));
    owner.pass(GRACE + GATHER_MS);
    owner.see(on('gpu-cordoned'));
    owner.pass(12 * HOUR);
    expect(owner.lines).toEqual(['gpu-cordoned problem one']);
    owner.see(off('gpu-cordoned'));
    owner.pass(SETTLE + GATHER_MS);
    expect(owner.lines.slice(1)).toEqual(['gpu-cordoned resolved one']);
    owner.pass(12 * HOUR);
    expect(owner.notices).toHaveLength(2);
    expect(owner.state.conditions).toEqual([]);
  });

  test.each(CONDITIONS.filter((kind) => CONDITION_KINDS[kind].graceMs > 0))(
    'is not notified of %s that ends within its grace',
    (kind) => {
      const owner = new Owner();
      for (let n = 0; n < 5; n += 1) {
        owner.see(on(kind));
        owner.pass(Math.min(CONDITION_KINDS[kind].graceMs - 1_000, 4 * MINUTE));
        owner.see(off(kind));
        owner.pass(HOUR);
      }
      expect(owner.notices).toEqual([]);
    },
  );

  test('is not notified that something is over that comes back at once', () => {
    const owner = new Owner();
    owner.see(on('gpu-cordoned'));
    owner.pass(10 * MINUTE);
    owner.see(off('gpu-cordoned'));
    owner.pass(SETTLE - 1_000);
    owner.see(on('gpu-cordoned'));
    owner.pass(HOUR);
    expect(owner.lines).toEqual(['gpu-cordoned problem one']);
  });

  test('gets one message for eight GPUs that are cordoned within seconds', () => {
    const owner = new Owner();
    for (let gpu = 0; gpu < 8; gpu += 1) {
      owner.see(on('gpu-cordoned', `GPU-${gpu}`));
      owner.pass(1_000);
    }
    owner.pass(HOUR);
    expect(owner.notices.map(({ items }) => items.length)).toEqual([8]);
  });

  test('hears of a flapping GPU a few times, with how often it began, and of another one at once', () => {
    const owner = new Owner();
    for (let n = 0; n < 40; n += 1) {
      owner.see(on('gpu-cordoned', 'flapping'));
      owner.pass(GRACE + MINUTE);
      owner.see(off('gpu-cordoned', 'flapping'));
      owner.pass(SETTLE + MINUTE);
    }
    expect(owner.notices).toHaveLength(PER_CONDITION.max);
    owner.see(on('gpu-cordoned', 'other'), on('gpu-cordoned', 'flapping'));
    owner.pass(GRACE + GATHER_MS);
    expect(owner.lines.at(-1)).toBe('gpu-cordoned problem other');
    owner.pass(PER_CONDITION.windowMs);
    expect(owner.lines.at(-1)).toBe('gpu-cordoned problem flapping');
    expect(owner.notices.at(-1)?.items[0]?.times).toBeGreaterThan(30);
  });

  test('hears of an unreachable broker only while it is', () => {
    const owner = new Owner();
    owner.see(on('broker-unreachable'));
    owner.pass(24 * HOUR);
    expect(owner.notices).toEqual([]);
    for (let n = 0; n < 11; n += 1) {
      owner.see(on('broker-unreachable'));
      owner.pass(MINUTE);
    }
    expect(owner.lines).toEqual(['broker-unreachable problem one']);
  });

  test('hears of a day without jobs by the time that counts', () => {
    const owner = new Owner();
    const paused: Observation = {
      ...on('no-jobs'),
      is: 'on',
      kind: 'no-jobs',
      item: item('one'),
      counts: false,
    };
    owner.see(on('no-jobs'));
    owner.pass(23 * HOUR);
    owner.see(paused);
    owner.pass(100 * HOUR);
    expect(owner.notices).toEqual([]);
    owner.see(on('no-jobs'));
    owner.pass(HOUR + MINUTE);
    owner.see(off('no-jobs'));
    owner.pass(MINUTE);
    expect(owner.lines).toEqual(['no-jobs problem one', 'no-jobs resolved one']);
  });

  test('hears once of each known vulnerability, also after one that was fixed', () => {
    const owner = new Owner();
    owner.see({ kind: 'vulnerability', is: 'all', items: [item('runc'), item('docker')] });
    owner.pass(HOUR);
    owner.see({ kind: 'vulnerability', is: 'all', items: [item('docker')] });
    owner.pass(7 * HOUR);
    owner.see({ kind: 'vulnerability', is: 'all', items: [item('docker'), item('runc')] });
    owner.pass(HOUR);
    expect(owner.lines).toEqual(['vulnerability problem runc,docker', 'vulnerability problem runc']);
  });

  test('hears of each reclaim that leaves memory in use, those at once in one message', () => {
    const owner = new Owner();
    owner.see({ kind: 'reclaim-incomplete', is: 'incident', item: item('GPU-1') });
    owner.see({ kind: 'reclaim-incomplete', is: 'incident', item: item('GPU-2') });
    owner.pass(MINUTE);
    owner.see({ kind: 'reclaim-incomplete', is: 'incident', item: item('GPU-1') });
    owner.pass(MINUTE);
    expect(owner.lines).toEqual(['reclaim-incomplete info GPU-1,GPU-2', 'reclaim-incomplete info GPU-1']);
  });

  test('is notified neither twice nor never over a restart of the agent', () => {
    const owner = new Owner();
    owner.see(on('gpu-cordoned', 'known'), on('broker-unreachable'));
    owner.pass(GRACE + MINUTE);
    owner.see(on('gpu-cordoned', 'new'));
    owner.pass(GRACE - 1_000);
    owner.state = restored(owner.state);
    owner.pass(MINUTE);
    // Not yet seen again: it does not count.
    expect(owner.lines).toEqual(['gpu-cordoned problem known']);
    owner.see(on('gpu-cordoned', 'known'), on('gpu-cordoned', 'new'));
    owner.pass(MINUTE);
    expect(owner.lines.slice(1)).toEqual(['gpu-cordoned problem new']);
    owner.state = restored(owner.state);
    owner.see(on('gpu-cordoned', 'new'));
    owner.pass(CONFIRM_MS + SETTLE + MINUTE);
    expect(owner.lines.slice(2)).toEqual(['gpu-cordoned resolved known']);
  });

  test('sees what lasts in the daily summary once it is worth telling', () => {
    const owner = new Owner();
    owner.see(on('gpu-cordoned'), on('disk-low'));
    owner.pass(CONDITION_KINDS['disk-low'].graceMs);
    expect(openProblems(owner.state).map(({ kind }) => kind)).toEqual(['disk-low']);
  });
});

test('a clock that is set back by years holds no notice back', () => {
  const owner = new Owner();
  owner.see(on('gpu-cordoned'));
  owner.pass(HOUR);
  owner.now -= 1_000 * 24 * HOUR;
  owner.see(off('gpu-cordoned'));
  owner.pass(HOUR);
  expect(owner.notices).toHaveLength(2);
});

test('the time that passes is not worth a write', () => {
  const owner = new Owner();
  owner.see(on('gpu-cordoned'));
  const before = owner.state;
  expect(isWorthWriting(before, elapse(before, 1_000, START))).toBe(false);
  owner.pass(GRACE + MINUTE);
  expect(isWorthWriting(before, owner.state)).toBe(true);
});

const changes = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    isOn: fc.boolean(),
    restart: fc.boolean(),
    ms: fc.integer({ min: 0, max: 40 * MINUTE }),
  }),
  { maxLength: 60 },
);

test('whatever happens: an owner is never flooded, and in the end knows how it is', () => {
  fc.assert(
    fc.property(changes, (steps) => {
      const owner = new Owner();
      const last = new Map<string, boolean>();
      for (const { isOn, key, ms, restart } of steps) {
        if (restart) owner.state = restored(owner.state);
        owner.see(isOn ? on('gpu-cordoned', key) : off('gpu-cordoned', key));
        last.set(key, isOn);
        owner.pass(ms);
      }
      const hours = (owner.now - START) / HOUR;
      expect(owner.notices.length).toBeLessThanOrEqual(PER_KIND.max * (hours + 1));
      for (const key of last.keys()) {
        const about = owner.notices.filter(({ items }) => items.some((one) => one.key === key));
        expect(about.length).toBeLessThanOrEqual(PER_CONDITION.max * (Math.floor(hours / 6) + 1));
        // It is reported in turns.
        expect(about.map(({ state }) => state)).toEqual(
          about.map((_, index) => (index % 2 === 0 ? 'problem' : 'resolved')),
        );
      }
      for (const [key, isOn] of last) owner.see(isOn ? on('gpu-cordoned', key) : off('gpu-cordoned', key));
      owner.pass(2 * PER_CONDITION.windowMs);
      for (const [key, isOn] of last) {
        const about = owner.notices.findLast(({ items }) => items.some((one) => one.key === key));
        expect(about?.state ?? 'resolved').toBe(isOn ? 'problem' : 'resolved');
      }
    }),
    { numRuns: 60 },
  );
});

function item(key: string) {
  return { key, name: key, why: key, hint: undefined };
}
