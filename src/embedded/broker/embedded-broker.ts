import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { DEFAULT_CATALOGUE } from './catalogue-data.ts';
import { buildServer } from './http/server.ts';
import { BrokerStore } from './store/store.ts';

/** How an embedded broker behaves. */
export type EmbeddedBrokerOptions = {
  /** The token of the user `provider` (password `sandbox`), whose balance is 0. */
  readonly token: string;
  /** The token of the user `buyer` (password `sandbox`), the default owner of runs. */
  readonly buyerToken?: string;
  /** The seconds of silence of an instance after which its jobs go back to the market; absent: no leases. */
  readonly leaseSeconds?: number;
  /** Whether `GET /api/v1/runs?instance=` leaves out what that instance cannot win; by default it does. */
  readonly leaveOutUnwinnable?: boolean;
  readonly clock?: Clock;
  readonly uuid?: () => string;
  readonly catalogue?: readonly CatalogueGpu[];
};

/** In US dollars. */
const BUYER_BALANCE = 100;

/** A complete SharedCloud broker in this process and in memory, for the dry run and the tests. */
export class EmbeddedBroker {
  readonly store: BrokerStore;
  readonly #app: FastifyInstance;
  readonly #leaseSeconds: number | undefined;
  #leaseTimer: NodeJS.Timeout | undefined;

  constructor(options: EmbeddedBrokerOptions) {
    const uuid = options.uuid ?? randomUUID;
    const password = 'sandbox';
    this.#leaseSeconds = options.leaseSeconds;
    this.store = new BrokerStore({
      clock: options.clock ?? systemClock,
      uuid,
      catalogue: options.catalogue ?? DEFAULT_CATALOGUE,
      leaseSeconds: options.leaseSeconds,
      users: [
        { username: 'provider', password, token: options.token, balance: 0 },
        { username: 'buyer', password, token: options.buyerToken ?? uuid(), balance: BUYER_BALANCE },
      ],
    });
    const leaveOutUnwinnable = options.leaveOutUnwinnable ?? true;
    this.#app = buildServer(this.store, { leaveOutUnwinnable, epoch: uuid().slice(0, 8) });
  }

  /** Starts to serve, by default on any free port, and returns the base URL without a trailing slash. */
  async listen(port = 0, host = '127.0.0.1'): Promise<string> {
    const url = await this.#app.listen({ port, host });
    if (this.#leaseSeconds !== undefined) {
      const intervalMs = Math.min(1000, this.#leaseSeconds * 250);
      this.#leaseTimer = setInterval(() => {
        this.store.market.expireLeases();
      }, intervalMs);
    }
    return url;
  }

  /** Closes all connections, also those of held calls, and the port. */
  async close(): Promise<void> {
    clearInterval(this.#leaseTimer);
    await this.#app.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
