import { asAgentError } from '../../../domain/errors.ts';
import type { CatalogueGpu } from '../../../domain/gpu.ts';
import type { Clock } from '../../../domain/ports/clock.ts';
import { splitParameters } from '../../../python-literal/literal.ts';
import { Accounts, type NewUser } from './accounts.ts';
import { BrokerEvents, type BrokerListener } from './broker-event.ts';
import { Market } from './market.ts';
import { type InstanceTerms, Offers } from './offers.ts';
import { type Patch, patched } from './patch.ts';
import { invalid } from './refusal.ts';
import type { FunctionRow, ImageRow, InstanceRow, JobRow, UserRow } from './rows.ts';
import type { StoreContext } from './store-context.ts';
import { Table } from './table.ts';

/** What a store needs. `leaseSeconds` undefined: no leases. */
export type StoreOptions = {
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly catalogue: readonly CatalogueGpu[];
  readonly leaseSeconds: number | undefined;
  /** The first is the default owner of instances, the last the default owner of runs. */
  readonly users: readonly [NewUser, ...NewUser[]];
};

/** An image for the catalogue: `registryPath` as `sharedcloud/tensorflow-gpu-python36:latest`. */
export type NewImage = Pick<ImageRow, 'registryPath' | 'requiresGpu' | 'runtime'> & {
  readonly description?: string;
};

/** A function; its default runtime is its image's. */
export type NewFunction = Pick<FunctionRow, 'name' | 'code' | 'image'> & { readonly runtime?: string };

/** A run; `bidPrice` in US dollars per job and minute. */
export type NewRun = {
  readonly function: string;
  /** A Python literal, a tuple of tuples. */
  readonly parameters: string;
  readonly bidPrice: number;
  /** The catalogue uuid of the smallest sufficient GPU. */
  readonly baseGpu?: string | null;
  readonly owner?: string;
  /** The jobs' arguments if not those in `parameters`, so that a test can add invalid ones. */
  readonly jobArguments?: readonly string[];
};

/** The broker's state, in memory. Its methods have the same rules as the HTTP API. */
export class BrokerStore {
  readonly clock: Clock;
  readonly accounts = new Accounts();
  readonly gpus = new Table<CatalogueGpu>();
  readonly images = new Table<ImageRow>();
  readonly functions = new Table<FunctionRow>();
  readonly instances = new Table<InstanceRow>();
  readonly market: Market;
  readonly offers: Offers;
  readonly #events = new BrokerEvents();
  readonly #uuid: () => string;
  readonly #provider: string;
  readonly #buyer: string;

  constructor(options: StoreOptions) {
    this.clock = options.clock;
    this.#uuid = options.uuid;
    for (const gpu of options.catalogue) this.gpus.put(gpu);
    for (const user of options.users) this.accounts.add(this.#uuid(), user);
    this.#provider = options.users[0].username;
    this.#buyer = (options.users.at(-1) ?? options.users[0]).username;
    const { clock, accounts, gpus, images, functions, instances } = this;
    const uuid = this.#uuid;
    const context: StoreContext = {
      clock,
      uuid,
      events: this.#events,
      accounts,
      gpus,
      images,
      functions,
      instances,
    };
    this.market = new Market(context, options.leaseSeconds);
    this.offers = new Offers(context, this.market);
  }

  /** Adds an image to the catalogue and returns its uuid. */
  addImage(image: NewImage): string {
    const row = { description: '', ...image, uuid: this.#uuid(), createdAt: this.clock.now() };
    return this.images.put(row).uuid;
  }

  /** Adds a function and returns its uuid. Throws a Refusal for an unknown image. */
  addFunction(fn: NewFunction): string {
    const { runtime } = this.images.refer('image', fn.image);
    const now = this.clock.now();
    return this.functions.put({ runtime, ...fn, uuid: this.#uuid(), createdAt: now, updatedAt: now }).uuid;
  }

  /** Changes a function. A new image changes who can win its runs, which ends held calls. */
  changeFunction(uuid: string, change: Patch<NewFunction>): FunctionRow {
    if (change.image !== undefined) this.images.refer('image', change.image);
    const before = this.functions.get(uuid);
    const row = this.functions.put(patched(before, { ...change, updatedAt: this.clock.now() }));
    if (row.image !== before.image) this.market.winnable.touch();
    return row;
  }

  /** Puts a run on the market and returns its uuid. Throws a Refusal that names the invalid field. */
  addRun(run: NewRun): string {
    const fn = this.functions.refer('function', run.function);
    const baseGpu = run.baseGpu ?? null;
    const jobArguments = run.jobArguments ?? splitOrThrow(run.parameters);
    const uuid = this.#uuid();
    this.market.add(
      {
        uuid,
        owner: run.owner ?? this.#buyer,
        function: fn.uuid,
        functionName: fn.name,
        baseGpu,
        baseGpuName: baseGpu === null ? 'n/a' : this.gpus.refer('base_gpu', baseGpu).name,
        parameters: run.parameters,
        numJobs: jobArguments.length,
        bidPrice: run.bidPrice,
        createdAt: this.clock.now(),
      },
      jobArguments,
    );
    return uuid;
  }

  /** Deletes a run and its jobs; with `evenInProgress` also those that run, which HTTP refuses. */
  deleteRun(uuid: string, options: { readonly evenInProgress?: boolean } = {}): void {
    this.market.delete(uuid, options.evenInProgress ?? false);
  }

  /** Adds an instance off the market and returns its uuid. */
  addInstance(terms: InstanceTerms, owner: string = this.#provider): string {
    return this.offers.add(owner, terms).uuid;
  }

  /** In the order of the run's parameters; empty for an unknown run. */
  jobsOf(run: string): readonly JobRow[] {
    return this.market.jobs.ofRun(run);
  }

  /** Undefined: unknown, or deleted with its run. */
  job(uuid: string): JobRow | undefined {
    return this.market.jobs.find(uuid);
  }

  /** The account of a user, by default the provider. */
  account(username: string = this.#provider): UserRow | undefined {
    return this.accounts.find(username);
  }

  /** Calls the listener on every event; returns a function that removes it. */
  onEvent(listener: BrokerListener): () => void {
    return this.#events.listen(listener);
  }
}

function splitOrThrow(parameters: string): readonly string[] {
  let items: readonly string[];
  try {
    items = splitParameters(parameters);
  } catch (thrown) {
    throw invalid('parameters', asAgentError(thrown).message);
  }
  if (items.length === 0) throw invalid('parameters', 'There must be at least one tuple of arguments.');
  return items;
}
