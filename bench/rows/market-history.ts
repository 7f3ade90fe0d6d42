import { once } from 'node:events';
import { statSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { MarketRecorder } from '../../src/agent/market-history/market-recorder.ts';
import { HttpBroker } from '../../src/broker/client.ts';
import { Transport } from '../../src/broker/transport.ts';
import type { Broker } from '../../src/domain/ports/broker.ts';
import type { Run } from '../../src/domain/run.ts';
import { SqliteMarketHistory } from '../../src/market-history/sqlite-market-history.ts';
import { anOffer } from '../../test/support/domain.ts';
import { logInto } from '../../test/support/log/log-into.ts';
import { figureOf } from '../measure/spread.ts';
import type { Figure, Row } from '../row.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const RUNS_PER_DAY = 100_000;
/** Each is open for half an hour. */
const OPEN_MINUTES = 30;

/** CPU time of recording a market on which 100,000 runs come in a day, beside reading the same lists and doing nothing with them. */
export const marketHistory: Row = {
  name: 'market-history',
  measure: async ({ quick }) => {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await mkdtempDisposable(join(tmpdir(), 'sharedcloud-bench-')));
    const worker = new Worker(new URL('../measure/market-worker.ts', import.meta.url));
    opened.defer(async () => void (await worker.terminate()));
    const { token, url } = z
      .object({ url: z.string(), token: z.string() })
      .parse((await once(worker, 'message'))[0]);
    const transport = new Transport(url, { current: async () => token });
    opened.defer(() => transport.close());
    const come = async (many: number): Promise<void> => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
      worker.postMessage({ come: many, most: Math.round((RUNS_PER_DAY * OPEN_MINUTES) / DAY_MINUTES) });
      await once(worker, 'message');
    };
    const market = new RecordedDay(path, new HttpBroker(transport));
    opened.defer(() => market.close());
    return await figuresOf(market, come, quick ? 20 : DAY_MINUTES);
  },
};

/** A recorder whose clock goes on by a minute with each poll. */
class RecordedDay {
  readonly #directory: string;
  readonly #history: SqliteMarketHistory;
  readonly #recorder: MarketRecorder;
  readonly #broker: Broker;
  readonly #signal = new AbortController().signal;
  #runs: readonly Run[] = [];
  #minute = 0;

  constructor(directory: string, broker: Broker) {
    this.#directory = directory;
    this.#broker = broker;
    this.#history = new SqliteMarketHistory({
      directory,
      broker: 'https://broker.example/',
      maxBytes: 500_000_000,
      onReplaced: () => undefined,
    });
    const start = Date.UTC(2026, 0, 1);
    this.#recorder = new MarketRecorder({
      broker,
      history: this.#history,
      // The offer's own poll shows the same list.
      offers: () => [{ offer: anOffer({ askPrice: 0 }), state: 'online', runs: this.#runs }],
      catalogue: { gpus: new Map() },
      clock: {
        now: () => start + this.#minute * MINUTE_MS,
        monotonic: () => this.#minute * MINUTE_MS,
      },
      random: () => 0,
      log: logInto([]),
    });
  }

  /** Reads the list as the recorder does; answers the CPU time of this thread, in milliseconds. */
  async read(): Promise<number> {
    const before = cpuMs();
    const answer = await this.#broker.runs({
      instance: undefined,
      etag: undefined,
      waitSeconds: 0,
      signal: this.#signal,
    });
    const took = cpuMs() - before;
    if (!answer.unchanged) this.#runs = answer.runs;
    return took;
  }

  /** Polls and writes; answers the CPU time of this thread, in milliseconds. */
  async poll(): Promise<number> {
    this.#minute += 1;
    const before = cpuMs();
    await this.#recorder.poll(this.#signal);
    return cpuMs() - before;
  }

  get bytes(): number {
    return statSync(join(this.#directory, 'market.db')).size;
  }

  close(): void {
    this.#history.close();
  }
}

async function figuresOf(
  market: RecordedDay,
  come: (runs: number) => Promise<void>,
  minutes: number,
): Promise<readonly Figure[]> {
  const [recorded, read]: [number[], number[]] = [[], []];
  const share = (ms: number): number => (100 * ms) / MINUTE_MS;
  // As many as are open at a time, which the recorder has seen.
  await come(Math.round((RUNS_PER_DAY * OPEN_MINUTES) / DAY_MINUTES));
  await market.read();
  await market.poll();
  for (let minute = 1; minute <= minutes; minute += 1) {
    const before = Math.round(((minute - 1) * RUNS_PER_DAY) / DAY_MINUTES);
    await come(Math.round((minute * RUNS_PER_DAY) / DAY_MINUTES) - before);
    read.push(share(await market.read()));
    recorded.push(share(await market.poll()));
  }
  const day = `100,000 new runs a day, each open for ${OPEN_MINUTES} minutes`;
  return [
    figureOf(
      { what: `CPU of recording ${day}`, unit: '% of a core', targets: [{ of: 'median', atMost: 1 }] },
      recorded,
      { what: 'the same lists only read', samples: read },
    ),
    figureOf({ what: `the history after ${minutes} minutes`, unit: 'MB' }, [market.bytes / 1e6]),
  ];
}

/** Of this thread: the broker has its own. */
function cpuMs(): number {
  const { system, user } = process.threadCpuUsage();
  return (system + user) / 1_000;
}
