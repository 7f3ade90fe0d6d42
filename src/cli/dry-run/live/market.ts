import { JOB_STATUS } from '../../../domain/job.ts';
import type { Language } from '../../../domain/language.ts';
import type { BrokerStore } from '../../../embedded/broker/store/store.ts';
import type { SeededRandom } from '../../../lib/seeded-random.ts';
import { sleep } from '../../../lib/sleep.ts';
import { type DryRunMarket, IMAGINARY_GPU, type ImageKind, type MarketImages } from '../market.ts';
import { LIVE_SAMPLES, type LiveSample, type RefusedSample } from './samples.ts';

/** How often it is looked whether buyers order something. */
const STEP_MS = 1_500;
/** So many jobs wait, so that a free slot soon gets one. */
const WAITING_JOBS = 3;
/** Runs that have ended are forgotten from the oldest on. */
const KEPT_RUNS = 40;
/** Every so many steps one of the runs that nobody takes is withdrawn, and another one like it added. */
const RENEW_STEPS = 20;

/** Buyers who order without end, by a seed; what is on the market at once is bounded. */
export class LiveMarket {
  readonly #store: BrokerStore;
  readonly #images: MarketImages;
  readonly #language: Language;
  readonly #random: SeededRandom;
  /** Runs to be taken, oldest first. */
  readonly #runs: string[] = [];
  /** What is ordered next before chance decides. */
  readonly #first: LiveSample[] = [...LIVE_SAMPLES];
  readonly #refused = new Map<RefusedSample, string>();
  #steps = 0;

  /** `refused`: the runs that nobody takes. */
  constructor(
    { broker, images }: Pick<DryRunMarket, 'broker' | 'images'>,
    language: Language,
    refused: readonly RefusedSample[],
    random: SeededRandom,
  ) {
    this.#store = broker.store;
    this.#images = images;
    this.#language = language;
    this.#random = random;
    for (const sample of refused) this.#refuse(sample);
    this.step();
  }

  async work(signal: AbortSignal): Promise<void> {
    while (await sleep(STEP_MS, signal)) this.step();
  }

  /** Orders what is missing, and forgets what is over. */
  step(): void {
    while (this.#waiting < WAITING_JOBS) this.#order(this.#first.shift() ?? this.#anySample());
    while (this.#runs.length > KEPT_RUNS && this.#forgetOldest());
    this.#steps += 1;
    if (this.#steps % RENEW_STEPS !== 0) return;
    const [oldest] = this.#refused.keys();
    if (oldest !== undefined) this.#refuse(oldest);
  }

  get #waiting(): number {
    const jobs = this.#runs.flatMap((run) => this.#store.jobsOf(run));
    return jobs.filter(({ status }) => status === JOB_STATUS.CREATED).length;
  }

  #order(sample: LiveSample): void {
    const [from, to] = sample.jobs;
    const jobs = Math.round(this.#random.between(from, to));
    const calls = Array.from({ length: jobs }, () => {
      const seconds = Math.round(this.#random.between(...sample.seconds));
      return `(${seconds}, ${Math.floor(this.#random.next() * 10_000)})`;
    });
    const bid = Number(this.#random.between(...sample.bid).toFixed(3));
    const { code, name } = sample;
    this.#runs.push(this.#add(name, code, 'wanted', { bid, calls, baseGpu: null }));
  }

  /** Adds it in place of the one before. */
  #refuse(sample: RefusedSample): void {
    const { bid, biggerGpu, image, jobs, name } = sample;
    const before = this.#refused.get(sample);
    if (before !== undefined) this.#store.deleteRun(before);
    this.#refused.delete(sample);
    const calls = Array.from({ length: jobs }, (_, job) => `(10, ${job})`);
    const run = this.#add(name, ANY_CODE, image, {
      bid: Number((bid * this.#random.between(0.9, 1.1)).toFixed(4)),
      calls,
      baseGpu: biggerGpu ? IMAGINARY_GPU.uuid : null,
    });
    this.#refused.set(sample, run);
  }

  #add(name: string, code: LiveSample['code'], kind: ImageKind, order: Order): string {
    const known = this.#store.functions.all().find((fn) => fn.name === name);
    const image = this.#images.for(this.#language, kind);
    const fn = known?.uuid ?? this.#store.addFunction({ name, code: code[this.#language], image });
    const { baseGpu, bid, calls } = order;
    return this.#store.addRun({ function: fn, parameters: `(${calls.join(', ')},)`, bidPrice: bid, baseGpu });
  }

  /** By their weights. */
  #anySample(): LiveSample {
    const total = LIVE_SAMPLES.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#random.next() * total;
    for (const sample of LIVE_SAMPLES) {
      left -= sample.weight;
      if (left < 0) return sample;
    }
    throw new Error('a random number was not below 1');
  }

  /** Whether there was one that is over. */
  #forgetOldest(): boolean {
    const over = this.#runs.findIndex((run) =>
      this.#store.jobsOf(run).every(({ status }) => ENDED.has(status)),
    );
    const [run] = over < 0 ? [] : this.#runs.splice(over, 1);
    if (run === undefined) return false;
    this.#store.deleteRun(run);
    return true;
  }
}

type Order = { readonly bid: number; readonly calls: readonly string[]; readonly baseGpu: string | null };

/** Of functions that are never called. */
const ANY_CODE = { node: 'function handler() {}', python: 'def handler(event):\n    pass\n' };

const ENDED: ReadonlySet<number> = new Set([JOB_STATUS.SUCCEEDED, JOB_STATUS.FAILED, JOB_STATUS.TIMEOUT]);
