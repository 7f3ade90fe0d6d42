import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { CatalogueGpu } from '../../domain/gpu.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { DEFAULT_CATALOGUE } from './catalogue-data.ts';
import { buildServer } from './http/server.ts';
import { BrokerStore } from './store/store.ts';

/** How a sandbox broker is to behave. */
export type EmbeddedBrokerOptions = {
  /** The provider's token. Its user is `provider`, password `sandbox`, with nothing on the account. */
  readonly token: string;
  /** The token of the user `buyer`, password `sandbox`, to whom runs belong that the store is given. */
  readonly buyerToken?: string;
  /** After how many seconds without a sign of its instance a job goes back to the market. Left out: never. */
  readonly leaseSeconds?: number;
  /** Whether `GET /api/v1/runs?instance=` leaves out what that instance cannot win. Left out: yes. */
  readonly leaveOutUnwinnable?: boolean;
  readonly clock?: Clock;
  readonly uuid?: () => string;
  readonly catalogue?: readonly CatalogueGpu[];
};

/** What the buyer has to begin with, in US dollars. */
const BUYERS_BALANCE = 100;

/** A whole SharedCloud broker, in this process and in memory: for the dry run, the tests, and to try things out. */
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
        { username: 'buyer', password, token: options.buyerToken ?? uuid(), balance: BUYERS_BALANCE },
      ],
    });
    const leaveOutUnwinnable = options.leaveOutUnwinnable ?? true;
    this.#app = buildServer(this.store, { leaveOutUnwinnable, epoch: uuid().slice(0, 8) });
  }

  /** Starts to serve, on any free port unless told which, and answers the base URL without a slash at its end. */
  async listen(port = 0, host = '127.0.0.1'): Promise<string> {
    const url = await this.#app.listen({ port, host });
    if (this.#leaseSeconds !== undefined) {
      const everyMs = Math.min(1000, this.#leaseSeconds * 250);
      this.#leaseTimer = setInterval(() => {
        this.store.market.expireLeases();
      }, everyMs);
    }
    return url;
  }

  /** Ends all connections, held calls too, and lets the port go. */
  async close(): Promise<void> {
    clearInterval(this.#leaseTimer);
    await this.#app.close();
  }

  /** So that `await using` closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
