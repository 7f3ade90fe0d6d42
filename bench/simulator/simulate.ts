import { decide, type MarketKnowledge } from '../../src/domain/decide.ts';
import type { Offer } from '../../src/domain/offer.ts';
import type { OpenRun, Run } from '../../src/domain/run.ts';
import { SeededRandom } from '../../src/lib/seeded-random.ts';
import type { SeenRun } from '../../src/pricing/backtest/observed.ts';
import { energyCost } from '../../src/pricing/power-cost.ts';
import { asksOf, type Market, type SimulatedJob, type SimulatedRun } from './market.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Our host. */
export type OwnHost = {
  readonly slots: number;
  /** Watts at the wall that a GPU takes more at work than idle. */
  readonly marginalW: number;
  /** The broker's part of each dollar. */
  readonly brokerFee: number;
};

/** What an agent can know of the market at one moment. Prices are US dollars per job and minute. */
export type Seen = {
  readonly now: number;
  /** Every run that was open when the market was looked at, each whole minute; their jobs are those of others. */
  readonly seen: Iterable<SeenRun>;
  /** What other hosts with such a GPU ask. */
  readonly others: readonly number[];
  /** How long each of our slots has been idle, in milliseconds; 0: it has a job. */
  readonly idleMs: readonly number[];
  /** The jobs of ours that ended since the hour before. */
  readonly ended: readonly OwnJob[];
};

/** A job that our host has run. */
export type OwnJob = {
  readonly run: SimulatedRun;
  readonly from: number;
  readonly until: number;
  readonly ask: number;
  readonly isPaid: boolean;
  readonly earned: number;
  readonly powerCost: number;
};

/** What sets our ask: asked at each whole hour, and answers the ask from then on. */
export type Pricing = {
  ask(seen: Seen): number;
  /** What a minute of a function's job is expected to cost from now on, for `decide`; absent: not known. */
  floor?(functionUuid: string, now: number): number;
};

/** What a market brought us, in US dollars. */
export type Outcome = {
  readonly earned: number;
  readonly powerCost: number;
  readonly net: number;
  readonly busyMinutes: number;
  readonly changes: number;
  readonly jobs: readonly OwnJob[];
};

/** Runs our host on a market from its beginning to its end. Who claims first among hosts that wait is a matter of chance. */
export function simulate(market: Market, host: OwnHost, pricing: Pricing, seed: number): Outcome {
  return new Simulation(market, host, pricing, new SeededRandom(seed ^ 0x5eed)).run();
}

type Open = { readonly run: SimulatedRun; readonly left: SimulatedJob[] };

class Simulation {
  readonly #market: Market;
  readonly #host: OwnHost;
  readonly #pricing: Pricing;
  readonly #random: SeededRandom;
  /** When each slot of each rival, and of ours, is free. */
  readonly #rivals: readonly number[][];
  readonly #slots: number[];
  readonly #idleSince: number[];
  readonly #seen = new Map<string, SeenRun>();
  #open: Open[] = [];
  #ask = Number.POSITIVE_INFINITY;
  #changes = -1;
  #ended: OwnJob[] = [];
  readonly #jobs: OwnJob[] = [];

  constructor(market: Market, host: OwnHost, pricing: Pricing, random: SeededRandom) {
    this.#market = market;
    this.#host = host;
    this.#pricing = pricing;
    this.#random = random;
    this.#rivals = market.rivals.map(({ slots }) => Array.from({ length: slots }, () => 0));
    this.#slots = Array.from({ length: host.slots }, () => 0);
    this.#idleSince = Array.from({ length: host.slots }, () => 0);
  }

  run(): Outcome {
    const { endsAt, runs } = this.#market;
    let next = 0;
    for (let now = 0; now < endsAt; ) {
      if (now % HOUR_MS === 0) this.#price(now);
      for (let run = runs[next]; run !== undefined && run.at <= now; run = runs[next]) {
        this.#open.push({ run, left: [...run.jobs] });
        next += 1;
      }
      this.#open = this.#open.filter(({ left, run }) => left.length > 0 && run.until > now);
      this.#claim(now);
      const until = this.#nextMoment(now, runs[next]?.at ?? endsAt);
      this.#poll(now, until);
      now = until;
    }
    const earned = sum(this.#jobs.map((job) => job.earned));
    const powerCost = sum(this.#jobs.map((job) => job.powerCost));
    return {
      earned,
      powerCost,
      net: earned * (1 - this.#host.brokerFee) - powerCost,
      busyMinutes: sum(this.#jobs.map(({ from, until }) => (until - from) / MINUTE_MS)),
      changes: this.#changes,
      jobs: this.#jobs,
    };
  }

  #price(now: number): void {
    const ended = this.#ended.filter(({ until }) => until <= now);
    this.#ended = this.#ended.filter(({ until }) => until > now);
    const ask = this.#pricing.ask({
      now,
      seen: this.#seen.values(),
      others: asksOf(this.#market),
      idleMs: this.#slots.map((free, slot) => (free > now ? 0 : now - (this.#idleSince[slot] ?? now))),
      ended,
    });
    if (ask !== this.#ask) this.#changes += 1;
    this.#ask = ask;
  }

  /** What is open stays so until the next moment, so one poll stands for those of each minute between. */
  #poll(now: number, until: number): void {
    const first = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
    const last = (Math.ceil(until / MINUTE_MS) - 1) * MINUTE_MS;
    if (last < first) return;
    for (const { left, run } of this.#open) {
      if (left.length === 0 || run.until <= first) continue;
      const before = this.#seen.get(run.uuid);
      this.#seen.set(run.uuid, {
        run: run.uuid,
        function: run.function,
        image: 'image',
        bid: run.bid,
        firstSeen: before?.firstSeen ?? first,
        lastSeen: Math.min(last, run.until),
        jobs: Math.max(before?.jobs ?? 0, left.length),
      });
    }
  }

  /** Free hosts claim in an order that chance makes, each the best of what it may take. */
  #claim(now: number): void {
    const ours = this.#market.rivals.length;
    const waiting: number[] = [];
    for (const [rival, slots] of this.#rivals.entries())
      if (this.#market.rivals[rival]?.isOnline(now) === true)
        for (const free of slots) if (free <= now) waiting.push(rival);
    for (const free of this.#slots) if (free <= now) waiting.push(ours);
    while (waiting.length > 0 && this.#open.length > 0) {
      const at = Math.floor(this.#random.next() * waiting.length);
      const [host = ours] = waiting.splice(at, 1);
      if (host === ours) this.#claimOurs(now);
      else this.#claimFor(host, now);
    }
  }

  #claimFor(rival: number, now: number): void {
    const { ask } = this.#market.rivals[rival] ?? { ask: Number.POSITIVE_INFINITY };
    const best = this.#open
      .filter(({ left, run }) => left.length > 0 && run.bid >= ask)
      .reduce<Open | undefined>((a, b) => (a === undefined || b.run.bid > a.run.bid ? b : a), undefined);
    const job = best?.left.shift();
    const slots = this.#rivals[rival];
    const slot = slots?.findIndex((free) => free <= now) ?? -1;
    if (job !== undefined && slots !== undefined && slot >= 0) slots[slot] = now + job.minutes * MINUTE_MS;
  }

  #claimOurs(now: number): void {
    const open = this.#open.filter(({ left }) => left.length > 0);
    const floor = (run: Run): number | undefined => this.#pricing.floor?.(run.functionUuid, now);
    const verdict = decide(open.map(openRun), offerAt(this.#ask), 1, { ...KNOWLEDGE, floor }, now).find(
      ({ kind }) => kind === 'take',
    );
    if (verdict === undefined) return;
    const found = open.find(({ run }) => run.uuid === verdict.open.run.uuid);
    const job = found?.left.shift();
    const slot = this.#slots.findIndex((free) => free <= now);
    if (found === undefined || job === undefined || slot < 0) return;
    const until = now + job.minutes * MINUTE_MS;
    const isPaid = job.outcome !== 'failed';
    const done: OwnJob = {
      run: found.run,
      from: now,
      until,
      ask: this.#ask,
      isPaid,
      earned: isPaid ? this.#ask * job.minutes : 0,
      powerCost: this.#costOf(now, until, this.#host.marginalW),
    };
    this.#slots[slot] = until;
    this.#idleSince[slot] = until;
    this.#jobs.push(done);
    this.#ended.push(done);
  }

  /** By the tariff of each hour. */
  #costOf(from: number, until: number, watts: number): number {
    let cost = 0;
    for (let at = from; at < until; ) {
      const end = Math.min(until, (Math.floor(at / HOUR_MS) + 1) * HOUR_MS);
      const price = this.#market.shape.dollarsPerKWh(Math.floor(at / HOUR_MS) % 24);
      cost += energyCost((watts * (end - at)) / 1_000, price);
      at = end;
    }
    return cost;
  }

  /** The next arrival, end of a job, or whole hour. */
  #nextMoment(now: number, arrival: number): number {
    const hour = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS;
    let next = Math.min(hour, arrival > now ? arrival : hour);
    for (const slots of [...this.#rivals, this.#slots])
      for (const free of slots) if (free > now && free < next) next = free;
    return next;
  }
}

const KNOWLEDGE: MarketKnowledge = {
  catalogue: new Map(),
  images: ['*'],
  imageState: () => 'ready',
  backoff: { get: () => undefined },
};

function openRun({ left, run }: Open): OpenRun {
  const image = {
    uuid: 'image',
    registryPath: 'sharedcloud/python36:latest',
    requiresGpu: true,
    runtime: 'python36',
  };
  return {
    run: {
      uuid: run.uuid,
      functionUuid: run.function,
      functionName: run.function,
      baseGpu: null,
      baseGpuName: '',
      numJobs: left.length,
      bidPrice: run.bid,
      createdAt: run.at,
    },
    function: {
      uuid: run.function,
      name: run.function,
      runtime: 'python36',
      imageUuid: 'image',
      registryPath: image.registryPath,
    },
    image,
  };
}

/** A GPU like that of each run, at an ask. */
export function offerAt(askPrice: number): Offer {
  return {
    key: 'gpu',
    kind: 'gpu',
    name: 'gpu',
    gpu: null,
    cudaCores: 10_000,
    wholeGpu: true,
    askPrice,
    slots: [{ id: 'slot', gpu: 'GPU-1' }],
    instance: 'instance',
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
