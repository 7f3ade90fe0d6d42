import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { OfferCost } from '../../../src/agent/pricing/pricer.ts';
import { ask } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { JOURNAL_FILE } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type AgentChoices, cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { serveApi } from '../../support/control/serve-api.ts';

const HOUR_MS = 3_600_000;
const CHECK_MS = 61_000;

/** What jobs cost, by a clock that a test may move forward. */
class Host {
  floor: number | undefined;
  #aheadMs = 0;

  forward(ms: number): void {
    this.#aheadMs += ms;
  }

  get choices(): AgentChoices {
    return {
      slots: 1,
      offerCost: () => (this.floor === undefined ? undefined : costing(this.floor)),
      clock: {
        now: () => systemClock.now() + this.#aheadMs,
        monotonic: () => systemClock.monotonic() + this.#aheadMs,
        bootTime: () => ({ boot: 'b', upMs: systemClock.monotonic() + this.#aheadMs }),
      },
    };
  }
}

function costing(floor: number): OfferCost {
  return { floor, costPerMinute: floor, paidShare: 0.9, isStale: false };
}

const priceAtBroker = (env: TestEnv) => env.broker.store.instances.all()[0]?.askPrice;

async function untilPrice(env: TestEnv, price: number): Promise<void> {
  await env.time.pass(CHECK_MS);
  await env.until(() => expect(priceAtBroker(env)).toBe(price));
}

describe('what a job costs', () => {
  test('raises the ask at the broker, and lets it fall an hour later', async () => {
    await using env = await TestEnv.open();
    const host = new Host();
    await using agent = await env.start(host.choices);
    await env.untilEvent('offer-registered');
    expect(priceAtBroker(env)).toBe(0.1);
    host.floor = 0.2;
    await untilPrice(env, 0.202);
    const run = env.addRun('function handler() { return 7 }', '((),)');
    await env.untilDone(run);
    expect(agent.journal.get(env.jobOf(run).uuid)?.askPrice).toBe(0.202);
    host.floor = 0.05;
    host.forward(HOUR_MS);
    await untilPrice(env, 0.1);
    expect(agent.journal.prices.changes(9).map(({ reason }) => reason)).toEqual(['configured', 'floor-rose']);
  });

  test('counts from the first registration on after a restart', async () => {
    await using env = await TestEnv.open();
    const host = new Host();
    host.floor = 0.2;
    const first = await env.start(host.choices);
    await env.untilEvent('offer-registered');
    await first.stop();
    expect(priceAtBroker(env)).toBe(0.202);
    host.floor = 0.05;
    await using _second = await env.start(host.choices);
    await env.until(() => expect(env.count('offer-registered')).toBe(2));
    expect(priceAtBroker(env)).toBe(0.202);
    expect(env.count('ask-changed')).toBe(1);
  });
});

test('a strategy is asked an hour later, and another one by a reload begins at the configured price', async () => {
  await using env = await TestEnv.open();
  const host = new Host();
  host.floor = 0.2;
  let strategy: 'fixed' | 'floor' = 'floor';
  const askSettings = () => ({ strategy, min: undefined, max: 0.25, floorMargin: 2 });
  const offers = [{ ...cpuOffer(1), askPrice: 0.21 }];
  await using agent = await env.start({ ...host.choices, offers, askSettings });
  await env.untilEvent('offer-registered');
  expect(priceAtBroker(env)).toBe(0.21);
  host.forward(HOUR_MS);
  await untilPrice(env, 0.25);
  const [change] = agent.journal.prices.changes(1);
  expect(change).toMatchObject({ strategy: 'floor', reason: 'floor-margin', limitedBy: 'max' });
  strategy = 'fixed';
  agent.agent.reprice();
  await env.until(() => expect(priceAtBroker(env)).toBe(0.21));
});

test('a price of a reload that the journal refuses is asked once it takes it', async () => {
  await using env = await TestEnv.open();
  const host = new Host();
  let price = 0.1;
  const askSettings = () => ({ strategy: 'fixed' as const, min: price, max: price, floorMargin: 1 });
  await using agent = await env.start({ ...host.choices, askSettings });
  await env.untilEvent('offer-registered');
  using db = new DatabaseSync(join(env.directory, 'state', JOURNAL_FILE));
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON price_changes BEGIN SELECT RAISE(ABORT, 'full'); END`);
  price = 0.3;
  agent.agent.reprice();
  await env.untilLogged('pricing-failed');
  expect(priceAtBroker(env)).toBe(0.1);
  db.exec('DROP TRIGGER full');
  await untilPrice(env, 0.3);
  expect(agent.journal.prices.changes(1)).toMatchObject([{ before: 0.1, ask: 0.3 }]);
});

test('the owner’s switch stops all changes, also after a restart, and is asked for over the API', async () => {
  await using env = await TestEnv.open();
  const host = new Host();
  const first = await env.start(host.choices);
  await env.untilEvent('offer-registered');
  await using api = await serveApi(env, first);
  const caller = 'alice';
  const frozen = await ask(api.directory, ENDPOINTS.priceFreeze, { caller, body: { note: 'fair' } }, 5_000);
  expect(frozen).toMatchObject({ answer: { changed: true, frozen: { by: 'alice', note: 'fair' } } });
  host.floor = 0.2;
  await env.time.pass(CHECK_MS);
  expect(priceAtBroker(env)).toBe(0.1);
  await first.stop();
  await using second = await env.start(host.choices);
  await env.until(() => expect(env.count('offer-registered')).toBe(2));
  await using again = await serveApi(env, second);
  const shown = await ask(again.directory, ENDPOINTS.prices, { caller }, 5_000);
  expect(shown).toMatchObject({
    answer: { frozen: { note: 'fair' }, offers: [{ ask: 0.1, floor: 0.2, hold: 'frozen' }], changes: [] },
  });
  await ask(again.directory, ENDPOINTS.priceUnfreeze, { caller, body: {} }, 5_000);
  await env.until(() => expect(priceAtBroker(env)).toBe(0.202));
  const audit = second.journal.decisions.audit(9).map(({ action, by }) => [action, by]);
  expect(audit).toEqual([
    ['price-unfreeze', 'alice'],
    ['price-freeze', 'alice'],
  ]);
});
