import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarketRecorder } from '../../../src/agent/market-history/market-recorder.ts';
import type { RecordedOffer } from '../../../src/agent/market-history/recorded-offers.ts';
import type { Broker } from '../../../src/domain/ports/broker.ts';
import type { PastRun } from '../../../src/domain/ports/market-history.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { SqliteMarketHistory } from '../../../src/market-history/sqlite-market-history.ts';
import { logInto } from '../log/log-into.ts';

export const MINUTE = 60_000;
export const START = Date.UTC(2026, 10, 27, 9);

/** A recorder on a file of its own, with a clock that a test sets. */
export class Recording implements AsyncDisposable {
  readonly directory: string;
  readonly log: string[] = [];
  readonly replaced: string[] = [];
  wall = START;
  up = 0;
  offers: readonly RecordedOffer[] = [];
  maxBytes = 500_000_000;
  history: SqliteMarketHistory;
  #recorder: MarketRecorder;
  readonly #broker: Pick<Broker, 'function' | 'image' | 'offers' | 'runs'>;

  private constructor(directory: string, broker: Pick<Broker, 'function' | 'image' | 'offers' | 'runs'>) {
    this.directory = directory;
    this.#broker = broker;
    this.history = this.#open();
    this.#recorder = this.#start();
  }

  /** In a directory of its own under `parent`. */
  static async open(
    broker: Pick<Broker, 'function' | 'image' | 'offers' | 'runs'>,
    parent: string = tmpdir(),
  ): Promise<Recording> {
    return new Recording(await mkdtemp(join(parent, 'market-')), broker);
  }

  /** In a directory that may have a market history; it is left there. */
  static in(directory: string, broker: Pick<Broker, 'function' | 'image' | 'offers' | 'runs'>): Recording {
    return new Recording(directory, broker);
  }

  get file(): string {
    return join(this.directory, 'market.db');
  }

  /** Polls `minutes` after the last time; answers how long the recorder would wait. */
  async poll(minutes = 1): Promise<number> {
    this.wall += minutes * MINUTE;
    this.up += minutes * MINUTE;
    return this.#recorder.poll(new AbortController().signal);
  }

  /** As after a kill: the file is as it was, and what was in memory is gone. */
  restart(): void {
    this.history.close();
    this.history = this.#open();
    this.#recorder = this.#start();
  }

  /** All runs, the first seen first, in minutes since the start. */
  async seen(): Promise<
    readonly (Pick<PastRun, 'bid' | 'jobs' | 'run'> & { readonly minutes: readonly number[] })[]
  > {
    const { runs } = await inSlices(this.history.observed({ from: 0, until: 2 * START }, 1_000_000));
    return runs
      .toSorted((a, b) => a.firstSeen - b.firstSeen || a.bid - b.bid)
      .map(({ bid, firstSeen, jobs, lastSeen, run }) => ({
        run,
        bid,
        jobs,
        minutes: [firstSeen, lastSeen].map((at) => (at - START) / MINUTE),
      }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.history.close();
    await rm(this.directory, { recursive: true });
  }

  #open(): SqliteMarketHistory {
    const { replaced, directory, maxBytes } = this;
    const onReplaced = (why: string): void => void replaced.push(why);
    return new SqliteMarketHistory({ directory, broker: 'https://broker.example/', maxBytes, onReplaced });
  }

  #start(): MarketRecorder {
    return new MarketRecorder({
      broker: this.#broker,
      history: this.history,
      offers: () => this.offers,
      catalogue: { gpus: new Map() },
      clock: { now: () => this.wall, monotonic: () => this.up },
      random: () => 0,
      log: logInto(this.log),
    });
  }
}
