import { expect, test } from 'vitest';
import { reasonOf, type StateFacts, stateOf } from '../../../src/control/status-state.ts';
import type { StatusTarget } from '../../../src/control-api/status-schema.ts';
import type { HoldKind } from '../../../src/domain/hold.ts';
import { aRunningJob, aStatus, aTarget } from '../../support/control/a-status.ts';

const held = (kind: HoldKind, target: string, more: Partial<NonNullable<StatusTarget['hold']>> = {}) =>
  aTarget({
    target,
    name: target,
    hold: { kind, why: `because of ${kind}`, until: null, hint: null, ...more },
  });
const { offers } = aStatus();
const facts = (more: Partial<StateFacts> = {}): StateFacts => ({
  phase: 'working',
  problem: null,
  offers,
  targets: [aTarget()],
  ...more,
});
const problem = { why: 'the disk is full', hint: 'make room' };

test.each<[string, Partial<StateFacts>]>([
  ['waiting', {}],
  ['working', { targets: [aTarget({ jobs: [aRunningJob()] })] }],
  ['starting', { offers: [] }],
  ['blocked', { problem, offers: [] }],
  ['held', { targets: [held('manual', 'GPU-1')] }],
  ['waiting', { targets: [held('manual', 'GPU-1'), aTarget({ target: 'GPU-2' })] }],
  ['held', { targets: [held('manual', 'GPU-1'), aTarget({ target: 'GPU-2', slots: 0 })] }],
  ['draining', { phase: 'draining' }],
  ['draining', { phase: 'stopping', problem }],
  ['evicting', { phase: 'evicting' }],
  ['stopped', { phase: undefined, problem }],
])('the state is %s', (state, more) => {
  const { sentence, state: found } = stateOf(facts(more));
  expect(found).toBe(state);
  expect(sentence).toMatch(/^[A-Z][^\n]*\.$/);
});

test.each([
  ['all are busy', { used: 2, open: 2 }, 'all'],
  ['the rest is kept from jobs', { used: 1, open: 1 }, 'no'],
  ['it is off the market', { used: 2, open: 2, onMarket: false }, 'all'],
])('no number says how many slots are open where %s', (_, more, word) => {
  const full = offers.map((offer) => ({ ...offer, slots: 2, ...more }));
  const { sentence } = stateOf(facts({ offers: full, targets: [aTarget({ jobs: [aRunningJob()] })] }));
  expect(sentence).toMatch(new RegExp(`; ${word} `));
});

test('of several reasons the strongest is shown, with all targets that have it', () => {
  const targets = [
    held('calendar', 'GPU-1', { until: 5 }),
    held('manual', 'GPU-2'),
    held('presence', 'GPU-3'),
    held('manual', 'GPU-4'),
    held('manual', 'GPU-5', { until: 7 }),
  ];
  expect(reasonOf({ problem: null, targets })).toEqual({
    kind: 'manual',
    why: 'because of manual',
    until: null,
    hint: null,
    targets: ['GPU-2', 'GPU-4'],
    names: ['GPU-2', 'GPU-4'],
  });
  expect(reasonOf({ problem: null, targets: [...targets, held('safety', 'GPU-6')] })).toMatchObject({
    kind: 'safety',
    targets: ['GPU-6'],
  });
});

test('what blocks the whole host comes first, and names no target', () => {
  const reason = reasonOf({ problem, targets: [held('safety', 'GPU-1')] });
  expect(reason).toEqual({ kind: 'safety', ...problem, until: null, targets: [], names: [] });
});

test('a GPU that is not offered gives no reason', () => {
  expect(reasonOf({ problem: null, targets: [{ ...held('safety', 'GPU-1'), slots: 0 }] })).toBeNull();
});
