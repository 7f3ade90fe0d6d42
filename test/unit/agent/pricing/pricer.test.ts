import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import {
  type AskSettings,
  type MarketSight,
  type OfferCost,
  Pricer,
} from '../../../../src/agent/pricing/pricer.ts';
import type { SlotUse } from '../../../../src/agent/pricing/slot-idleness.ts';
import type { OfferPlan } from '../../../../src/domain/offer.ts';
import { FIXED } from '../../../../src/pricing/strategy/fixed.ts';
import {
  type Answer,
  atOnce,
  type Need,
  type Situation,
  type Strategy,
} from '../../../../src/pricing/strategy/strategy.ts';
import { MemoryPrices } from '../../../support/agent/memory-prices.ts';
import { cpuOffer } from '../../../support/agent/test-env.ts';
import { logInto } from '../../../support/log/log-into.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NINE = Date.UTC(2026, 10, 27, 9);
const OWNER = { by: 'alice', from: 'a test' };

/** A pricer, what it remembers on disk, and the world that it sees; all may be changed between its checks. */
class World {
  readonly prices = new MemoryPrices();
  readonly events: AgentEvent[] = [];
  readonly applied: number[] = [];
  readonly situations: Situation[] = [];
  readonly log: string[] = [];
  wall = NINE;
  up = 0;
  plan: OfferPlan = cpuOffer(1);
  settings: AskSettings = { strategy: 'fixed', min: undefined, max: undefined, floorMargin: 1 };
  cost: OfferCost | undefined;
  market: MarketSight | undefined;
  slots: readonly SlotUse[] = [{ id: 'cpu#0', state: 'open' }];
  needs: readonly Need[] = [];
  /** What the strategy answers; undefined: as a fixed ask. */
  answer: ((situation: Situation, memory: Record<string, number>) => Answer) | undefined;
  pricer: Pricer;
  readonly #kind: 'fixed' | 'other';

  constructor(settings: Partial<AskSettings> = {}, kind: 'fixed' | 'other' = 'fixed') {
    this.#kind = kind;
    this.settings = { ...this.settings, ...settings };
    this.pricer = this.start();
  }

  /** The agent is started again; the first price is what it registers. */
  start(): Pricer {
    const strategy = (): Strategy => ({
      needs: this.needs,
      ...(this.#kind === 'fixed' && { isFixed: true }),
      next: (situation, memory) => {
        this.situations.push(situation);
        const answer = this.answer?.(situation, memory);
        return answer === undefined ? FIXED.next(situation, memory) : atOnce(() => answer)(situation, memory);
      },
    });
    this.pricer = new Pricer({
      prices: this.prices,
      settings: () => this.settings,
      strategy,
      cost: () => this.cost,
      market: () => Promise.resolve(this.market),
      slots: () => this.slots,
      apply: ({ askPrice }) => void this.applied.push(askPrice),
      clock: {
        now: () => this.wall,
        monotonic: () => this.up,
        bootTime: () => ({ boot: 'b', upMs: this.up }),
      },
      log: logInto(this.log),
      observe: (event) => void this.events.push(event),
    });
    this.configure();
    return this.pricer;
  }

  configure(): number {
    const [priced] = this.pricer.configure([this.plan]);
    return priced?.askPrice ?? Number.NaN;
  }

  get ask(): number {
    return this.pricer.views[0]?.state.ask ?? Number.NaN;
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= MINUTE) {
      const step = Math.min(left, MINUTE);
      this.wall += step;
      this.up += step;
      await this.pricer.check(new AbortController().signal);
    }
  }
}

function costing(floor: number, more: Partial<OfferCost> = {}): OfferCost {
  return { floor, costPerMinute: floor, paidShare: 0.9, isStale: false, ...more };
}

function asking(ask: number): () => Answer {
  return () => ({ choice: { ask, reason: 'configured' }, memory: {} });
}

describe('a fixed ask without a floor', () => {
  test('never changes and writes nothing', async () => {
    const world = new World();
    await world.pass(5 * HOUR);
    expect(world.ask).toBe(0.1);
    expect(world).toMatchObject({ applied: [], events: [] });
    expect(world.prices.states.size).toBe(0);
  });

  test('follows the configuration at once', () => {
    const world = new World();
    world.plan = { ...world.plan, askPrice: 0.3 };
    expect(world.configure()).toBe(0.3);
    expect(world.events).toMatchObject([
      { kind: 'ask-changed', before: 0.1, ask: 0.3, reason: 'configured' },
    ]);
  });
});

describe('a floor', () => {
  test('raises the ask at once, and lets it fall at the next hour', async () => {
    const world = new World();
    await world.pass(20 * MINUTE);
    world.cost = costing(0.2);
    await world.pass(MINUTE);
    expect(world.ask).toBe(0.202);
    world.cost = costing(0.05);
    await world.pass(10 * MINUTE);
    expect(world.ask).toBe(0.202);
    await world.pass(30 * MINUTE);
    expect(world.ask).toBe(0.1);
    expect(world.applied).toEqual([0.202, 0.1]);
    expect(world.prices.changes(9)).toMatchObject([
      { ask: 0.1, reason: 'configured' },
      { ask: 0.202, reason: 'floor-rose', limitedBy: 'floor', terms: { floor: 0.2 } },
    ]);
  });

  test('does not raise the ask above the owner’s limit, and says so once', async () => {
    const world = new World({ max: 0.15 });
    world.cost = costing(0.2);
    await world.pass(3 * HOUR);
    expect(world.ask).toBe(0.15);
    expect(world.events.filter(({ kind }) => kind === 'floor-above-max')).toHaveLength(1);
  });

  test('that follows each job by small steps raises the ask in larger ones, and no hour takes them back', async () => {
    const world = new World();
    for (let minute = 0; minute < 300; minute += 1) {
      world.cost = costing(0.2 * (1 + Math.sin(minute) / 500));
      await world.pass(MINUTE);
      expect(world.ask).toBeGreaterThanOrEqual(world.cost.floor);
    }
    expect(world.prices.allChanges).toHaveLength(1);
  });

  test('holds a restart no longer than the strategy itself', async () => {
    const world = new World();
    world.cost = costing(0.2);
    await world.pass(MINUTE);
    world.cost = costing(0.05);
    world.start();
    expect(world.ask).toBe(0.202);
    await world.pass(59 * MINUTE);
    expect(world.ask).toBe(0.1);
  });
});

describe('a strategy', () => {
  test('is asked at whole hours, and its choice is kept within the limits', async () => {
    const world = new World({ min: 0.08, max: 0.2 });
    await world.pass(30 * MINUTE);
    world.answer = asking(0.5);
    await world.pass(29 * MINUTE);
    expect(world.ask).toBe(0.1);
    await world.pass(MINUTE);
    expect(world.ask).toBe(0.2);
    world.answer = asking(0.01);
    await world.pass(59 * MINUTE);
    expect(world.ask).toBe(0.2);
    await world.pass(MINUTE);
    expect(world.ask).toBe(0.08);
  });

  test.each([
    ['floor', undefined, undefined, 'floor-unknown'],
    ['floor', costing(0.01, { isStale: true }), undefined, 'floor-stale'],
    ['market', undefined, undefined, 'market-unknown'],
    ['market', undefined, { others: [], observed: () => undefined, isStale: true }, 'market-stale'],
  ] as const)('that needs the %s is not asked without it (%#)', async (need, cost, market, hold) => {
    const world = new World({}, 'other');
    Object.assign(world, { needs: [need], cost, market, answer: asking(0.5) });
    await world.pass(2 * HOUR);
    expect(world.ask).toBe(0.1);
    expect(world.pricer.views).toMatchObject([{ hold, nextChangeAt: undefined }]);
    expect(world.events).toMatchObject([{ kind: 'ask-strategy-held', hold }]);
    world.cost = costing(0.01);
    world.market = { others: [], observed: () => undefined, isStale: false };
    await world.pass(MINUTE);
    expect(world.ask).toBe(0.5);
    expect(world.events.at(-2)).toMatchObject({ kind: 'ask-strategy-held', hold: undefined });
  });

  test('starts again where the owner sets another price', async () => {
    const world = new World({}, 'other');
    world.answer = () => ({ choice: { ask: 0.5, reason: 'configured' }, memory: { asked: 1 } });
    await world.pass(HOUR);
    world.plan = { ...world.plan, askPrice: 0.3 };
    expect(world.configure()).toBe(0.3);
    expect(world.pricer.views[0]?.state).toMatchObject({ memory: {}, start: 0.3 });
  });

  test('keeps its ask and memory after a restart with the same price', async () => {
    const world = new World({}, 'other');
    world.answer = () => ({ choice: { ask: 0.5, reason: 'configured' }, memory: { asked: 1 } });
    await world.pass(HOUR);
    world.start();
    expect(world.ask).toBe(0.5);
    expect(world.pricer.views[0]?.state.memory).toEqual({ asked: 1 });
  });

  test('gets idle time and jobs, also those that ended while it was held', async () => {
    const world = new World({}, 'other');
    world.pricer.freeze(undefined, OWNER);
    await world.pass(90 * MINUTE);
    world.prices.ended.push({ slot: 'cpu#0', from: NINE, until: world.wall - HOUR, ask: 0.1, isPaid: true });
    world.pricer.unfreeze(OWNER);
    await world.pass(MINUTE);
    expect(world.situations.at(-1)).toMatchObject({ ended: [{ isPaid: true }], idleMs: [61 * MINUTE] });
    await world.pass(HOUR);
    expect(world.situations.at(-1)).toMatchObject({ ended: [], idleMs: [91 * MINUTE] });
  });

  test('does not count time as idle in which the slot could not take a job', async () => {
    const world = new World({}, 'other');
    world.slots = [{ id: 'cpu#0', state: 'closed' }];
    await world.pass(HOUR);
    expect(world.situations.at(-1)?.idleMs).toEqual([]);
    world.slots = [{ id: 'cpu#0', state: 'open' }];
    await world.pass(HOUR);
    expect(world.situations.at(-1)?.idleMs).toEqual([59 * MINUTE]);
    world.slots = [{ id: 'cpu#0', state: 'busy' }];
    await world.pass(HOUR);
    expect(world.situations.at(-1)?.idleMs).toEqual([0]);
  });
});

describe('frozen asks', () => {
  test('do not change by a strategy that was still choosing', async () => {
    const world = new World({}, 'other');
    world.answer = () => {
      world.pricer.freeze(undefined, OWNER);
      return asking(0.5)();
    };
    await world.pass(2 * HOUR);
    expect(world.situations.length).toBeGreaterThan(0);
    expect(world.ask).toBe(0.1);
  });

  test('change neither by a strategy nor by a floor, also after a restart', async () => {
    const world = new World({}, 'other');
    world.answer = asking(0.5);
    expect(world.pricer.freeze('too hot', OWNER)).toBe(true);
    expect(world.pricer.freeze('again', OWNER)).toBe(false);
    world.cost = costing(0.2);
    await world.pass(2 * HOUR);
    world.start();
    await world.pass(2 * HOUR);
    expect(world.ask).toBe(0.1);
    expect(world.pricer.frozen).toMatchObject({ by: 'alice', note: 'too hot' });
    expect(world.pricer.unfreeze(OWNER)).toBe(true);
    await world.pass(MINUTE);
    expect(world.ask).toBe(0.5);
  });

  test('follow the owner’s own price', () => {
    const world = new World();
    world.pricer.freeze(undefined, OWNER);
    world.plan = { ...world.plan, askPrice: 0.3 };
    expect(world.configure()).toBe(0.3);
  });
});

test('an ask that cannot be written does not change', async () => {
  const world = new World({}, 'other');
  world.answer = asking(0.5);
  world.prices.failure = new Error('the disk is full');
  await world.pass(2 * HOUR);
  expect(world.ask).toBe(0.1);
  expect(world.applied).toEqual([]);
  expect(world.log.filter((line) => line.includes('pricing-failed'))).toHaveLength(1);
  world.prices.failure = undefined;
  await world.pass(MINUTE);
  expect(world.ask).toBe(0.5);
});

test('a configured price that cannot be written is asked once it can be', async () => {
  const world = new World();
  world.prices.failure = new Error('the disk is full');
  world.plan = { ...world.plan, askPrice: 0.3 };
  expect(world.configure()).toBe(0.1);
  expect(world.configure()).toBe(0.1);
  await world.pass(2 * MINUTE);
  expect(world.ask).toBe(0.1);
  expect(world.log.filter((line) => line.includes('pricing-failed'))).toHaveLength(1);
  world.prices.failure = undefined;
  await world.pass(MINUTE);
  expect(world.ask).toBe(0.3);
  expect(world.applied).toEqual([0.3]);
  expect(world.prices.allChanges.at(-1)).toMatchObject({ before: 0.1, ask: 0.3, reason: 'configured' });
  await world.pass(2 * MINUTE);
  expect(world.applied).toEqual([0.3]);
});

test('a change that cannot be written is none, though all else can', async () => {
  const world = new World({}, 'other');
  world.answer = asking(0.5);
  world.prices.changeFailure = new Error('the disk is full');
  await world.pass(2 * HOUR);
  expect(world).toMatchObject({ ask: 0.1, applied: [], events: [] });
  world.prices.changeFailure = undefined;
  await world.pass(MINUTE);
  expect(world).toMatchObject({ ask: 0.5, applied: [0.5] });
});

describe('whatever a strategy answers', () => {
  const price = fc.double({ min: 0.001, max: 1, noNaN: true });
  const step = fc.record({
    minutes: fc.integer({ min: 1, max: 150 }),
    answer: fc.oneof(price, fc.double(), fc.constant(undefined)),
    floor: fc.option(price, { nil: undefined }),
    event: fc.constantFrom('freeze', 'unfreeze', 'restart', 'clock', 'none', 'none', 'none'),
    clockMs: fc.integer({ min: -2 * HOUR, max: 2 * HOUR }),
  });
  const steps = fc.array(step, { minLength: 1, maxLength: 12 });

  test('the ask keeps the owner’s limits and changes once an hour, but for rises to the floor', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const world = new World({ min: 0.01, max: 0.5 }, 'other');
        const changes: number[] = [];
        for (const { answer, clockMs, event, floor, minutes } of plan) {
          world.cost = floor === undefined ? undefined : costing(floor);
          world.answer = () => ({
            choice: answer === undefined ? undefined : { ask: answer, reason: 'configured' },
            memory: {},
          });
          if (event === 'freeze') world.pricer.freeze(undefined, OWNER);
          if (event === 'unfreeze') world.pricer.unfreeze(OWNER);
          if (event === 'restart') world.start();
          if (event === 'clock') world.wall += clockMs;
          const before = world.ask;
          for (let minute = 0; minute < minutes; minute += 1) {
            const known = world.prices.allChanges.length;
            await world.pass(MINUTE);
            const made = world.prices.allChanges.slice(known);
            if (made.some(({ reason }) => reason !== 'floor-rose')) changes.push(world.up);
            expect(world.ask).toBeGreaterThanOrEqual(0.01);
            expect(world.ask).toBeLessThanOrEqual(0.5);
            const isFrozen = world.pricer.frozen !== undefined;
            if (isFrozen) expect(world.ask).toBe(before);
            else expect(world.ask).toBeGreaterThanOrEqual(Math.min(floor ?? 0, 0.5));
          }
        }
        for (const [index, at] of changes.entries())
          if (index > 0) expect(at - (changes[index - 1] ?? 0)).toBeGreaterThanOrEqual(HOUR);
      }),
      { numRuns: 100 },
    );
  });

  test('a restart at any moment changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.integer({ min: 0, max: 600 })), async (plan, restarts) => {
        const run = async (isRestarted: boolean): Promise<readonly number[]> => {
          const world = new World({ min: 0.01, max: 0.5 }, 'other');
          const asks: number[] = [];
          for (const { answer, floor, minutes } of plan) {
            world.cost = floor === undefined ? undefined : costing(floor);
            // It depends on all that has to outlive a restart.
            world.answer = ({ ask, idleMs }, { asked = 0 }) => ({
              choice: {
                ask: (answer ?? 0.1) * (1 + asked / 10) + ask / 10 + (idleMs[0] ?? 0) / 1e10,
                reason: 'configured',
              },
              memory: { asked: (asked + 1) % 7 },
            });
            for (let minute = 0; minute < minutes; minute += 1) {
              await world.pass(MINUTE);
              asks.push(world.ask);
              if (isRestarted && restarts.includes(asks.length)) {
                world.start();
                // What was open before is not known at the first check.
                await world.pricer.check(new AbortController().signal);
              }
            }
          }
          return asks;
        };
        expect(await run(true)).toEqual(await run(false));
      }),
      { numRuns: 60 },
    );
  });
});
