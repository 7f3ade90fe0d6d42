import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { SkipLog } from '../../../../src/agent/market/skip-log.ts';
import type { SkipReason } from '../../../../src/domain/decide.ts';
import { inSlices } from '../../../../src/lib/slices.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';
import { anOffer, aRun } from '../../../support/domain.ts';

const LINES = LIMITS.broker.skipLines.max;

function skipLog() {
  const clock = new ManualClock();
  const events: AgentEvent[] = [];
  const log = new SkipLog({ offer: () => anOffer(), clock, observe: (event) => void events.push(event) });
  /** One pass over runs with these names. */
  const pass = (names: readonly string[], reason: SkipReason = 'bid-below-ask'): void => {
    for (const uuid of names) log.skipped(aRun({ uuid }), reason);
    log.decided();
  };
  const lines = () => events.filter(({ kind }) => kind === 'run-skipped').length;
  const counts = () => events.flatMap((event) => (event.kind === 'runs-skipped' ? [event.reasons] : []));
  return { log, clock, pass, lines, counts };
}

const runs = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}-${n}`);

test('a skipped run has a line once per reason', () => {
  const { counts, lines, pass } = skipLog();
  pass(['a', 'b']);
  pass(['a', 'b']);
  expect(lines()).toBe(2);
  pass(['a'], 'gpu-too-small');
  expect(lines()).toBe(3);
  expect(counts()).toEqual([]);
});

test('of new runs at each poll some have a line, and the others are counted once a minute', () => {
  const { clock, counts, lines, pass } = skipLog();
  for (let poll = 0; poll < 120; poll += 1) {
    pass(runs(`poll-${poll}`, 1_000));
    clock.advance(1_000);
  }
  expect(lines()).toBeLessThanOrEqual(LINES + 120);
  expect(counts()).toHaveLength(2);
  expect(counts()[0]).toEqual({ 'bid-below-ask': 1_000 - LINES });
});

test('a run is new again after it has left the market', async () => {
  const { lines, log, pass } = skipLog();
  pass(['a', 'b']);
  await inSlices(log.retain(new Set(['b'])));
  pass(['a', 'b']);
  expect(lines()).toBe(3);
});

test('a transient reason has no line', () => {
  const { lines, pass } = skipLog();
  pass(['a'], 'no-slot');
  pass(['a'], 'unresolved');
  expect(lines()).toBe(0);
});

test('all skipped runs of the last decision are counted by reason, whether they have a line or not', () => {
  const { log, pass } = skipLog();
  expect(log.counts).toEqual(new Map());
  pass(['a', 'b'], 'no-slot');
  expect(log.counts).toEqual(new Map([['no-slot', 2]]));
  log.skipped(aRun({ uuid: 'c' }), 'invalid');
  expect(log.counts).toEqual(new Map([['no-slot', 2]]));
  pass(['a']);
  expect(log.counts).toEqual(
    new Map([
      ['invalid', 1],
      ['bid-below-ask', 1],
    ]),
  );
});
