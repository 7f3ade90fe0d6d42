import type { OfferCost } from '../../../src/agent/pricing/pricer.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { StrategyName } from '../../../src/pricing/strategy/strategies.ts';
import { type TestAgent, TestEnv } from '../agent/test-env.ts';

export const HOUR_MS = 3_600_000;
/** While hours pass, timers are later by as much: less than two checks of slots, or two polls of the market, may be apart. */
const STEP_MS = { hours: 100_000, days: 150_000 } as const;

type Settings = {
  readonly strategy: StrategyName;
  readonly min: number;
  readonly max: number;
  /** What a job costs: US dollars per minute. */
  readonly floor: number;
  /** For how long about it is looked at. */
  readonly over: keyof typeof STEP_MS;
};

/** A real agent with one slot that records the market and asks a strategy, at a real broker, over virtual hours. */
export class LiveOffer implements AsyncDisposable {
  readonly env: TestEnv;
  readonly settings: Settings;
  #agent: TestAgent | undefined;

  private constructor(env: TestEnv, settings: Settings) {
    this.env = env;
    this.settings = settings;
  }

  static async open(settings: Settings): Promise<LiveOffer> {
    const live = new LiveOffer(await TestEnv.open(), settings);
    await live.#start();
    return live;
  }

  async #start(): Promise<void> {
    const { floor, max, min, strategy } = this.settings;
    const registered = this.env.count('offer-registered');
    this.#agent = await this.env.start({
      slots: 1,
      marketHistorySize: 50_000_000,
      clock: { ...systemClock, bootTime: () => ({ boot: 'b', upMs: performance.now() }) },
      offerCost: () => costing(floor),
      askSettings: () => ({ strategy, min, max, floorMargin: 1 }),
    });
    await this.env.until(() => {
      if (this.env.count('offer-registered') === registered) throw new Error('the offer is not registered');
    });
  }

  /** The one that works now. */
  get agent(): TestAgent {
    if (this.#agent === undefined) throw new Error('no agent was started');
    return this.#agent;
  }

  /** Stops the agent, and starts it again on what it left. */
  async restart(): Promise<void> {
    await this.agent.stop();
    await this.#start();
  }

  /** A buyer wants so many jobs. */
  order(jobs: number, bidPrice: number): string {
    return this.env.addRun('function handler() { return 7 }', `(${'(),'.repeat(jobs)})`, { bidPrice });
  }

  /** A buyer wants a job, and it is run. */
  async sell(bidPrice: number): Promise<string> {
    const run = this.order(1, bidPrice);
    await this.env.untilDone(run);
    return run;
  }

  /** The buyer takes a run back. */
  withdraw(run: string): void {
    this.env.broker.store.deleteRun(run);
  }

  async pass(hours: number): Promise<void> {
    await this.env.time.passLong(hours * HOUR_MS, STEP_MS[this.settings.over]);
  }

  /** Lets time pass until a condition is met, for at most so many hours. */
  async passUntil(condition: () => boolean, hours: number): Promise<void> {
    for (let passed = 0; !condition(); passed += 0.25) {
      if (passed > hours) throw new Error(`not met after ${hours} hours: ${JSON.stringify(this.changes)}`);
      await this.pass(0.25);
    }
  }

  /** At the broker. */
  get ask(): number {
    return this.env.broker.store.instances.all()[0]?.askPrice ?? Number.NaN;
  }

  /** The first one first. */
  get changes() {
    return this.agent.journal.prices.changes(1_000).toReversed();
  }

  /** Paid by the broker. */
  jobs(runs: readonly string[]): readonly JobRow[] {
    return runs
      .flatMap((run) => this.env.jobsOf(run))
      .filter(({ status }) => status === JOB_STATUS.SUCCEEDED)
      .toSorted((a, b) => (a.assignedAt ?? 0) - (b.assignedAt ?? 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
    await this.env[Symbol.asyncDispose]();
  }
}

function costing(floor: number): OfferCost {
  return { floor, costPerMinute: floor, paidShare: 0.9, isStale: false };
}
