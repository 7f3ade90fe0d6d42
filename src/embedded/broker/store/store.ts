import { asAgentError } from '../../../domain/errors.ts';
import type { CatalogueGpu } from '../../../domain/gpu.ts';
import type { Clock } from '../../../domain/ports/clock.ts';
import { splitParameters } from '../../../python-literal/literal.ts';
import { Accounts, type NewUser } from './accounts.ts';
import { BrokerEvents, type BrokerListener } from './broker-event.ts';
import { type Change, changed } from './changed.ts';
import { Market } from './market.ts';
import { type InstanceTerms, Offers } from './offers.ts';
import type { Places } from './places.ts';
import { invalid } from './refusal.ts';
import type { FunctionRow, ImageRow, InstanceRow, JobRow, UserRow } from './rows.ts';
import { Table } from './table.ts';

/** What a store is made of. `leaseSeconds` undefined: whoever holds a job keeps it for ever. */
export type StoreOptions = {
  readonly clock: Clock;
  readonly uuid: () => string;
  readonly catalogue: readonly CatalogueGpu[];
  readonly leaseSeconds: number | undefined;
  /** The first is the provider, to whom instances without an owner belong; the last the buyer, likewise of runs. */
  readonly users: readonly [NewUser, ...NewUser[]];
};

/** An image for the catalogue: `registryPath` as `sharedcloud/tensorflow-gpu-python36:latest`. */
export type NewImage = Pick<ImageRow, 'registryPath' | 'requiresGpu' | 'runtime'> & {
  readonly description?: string;
};

/** A function; the runtime is its image's unless it says otherwise. */
export type NewFunction = Pick<FunctionRow, 'name' | 'code' | 'image'> & { readonly runtime?: string };

/** A run; `bidPrice` in US dollars per job and minute. */
export type NewRun = {
  readonly function: string;
  /** A Python literal, a tuple of tuples. */
  readonly parameters: string;
  readonly bidPrice: number;
  /** The catalogue uuid of the least GPU that will do. */
  readonly baseGpu?: string | null;
  readonly owner?: string;
  /** The jobs' arguments, where they are not to be read from `parameters`: so a test can plant garbage. */
  readonly jobArguments?: readonly string[];
};

/** All that the broker knows, in memory. The same rules hold for who calls these methods as for who comes over HTTP. */
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
    const places: Places = {
      clock,
      uuid,
      events: this.#events,
      accounts,
      gpus,
      images,
      functions,
      instances,
    };
    this.market = new Market(places, options.leaseSeconds);
    this.offers = new Offers(places, this.market);
  }

  /** Adds an image to the catalogue and answers its uuid. */
  addImage(image: NewImage): string {
    const row = { description: '', ...image, uuid: this.#uuid(), createdAt: this.clock.now() };
    return this.images.put(row).uuid;
  }

  /** Adds a function and answers its uuid. Throws a Refusal where there is no such image. */
  addFunction(fn: NewFunction): string {
    const { runtime } = this.images.refer('image', fn.image);
    const now = this.clock.now();
    return this.functions.put({ runtime, ...fn, uuid: this.#uuid(), createdAt: now, updatedAt: now }).uuid;
  }

  /** Changes a function. With its image changes who may win its runs, so that held calls must look again. */
  changeFunction(uuid: string, change: Change<NewFunction>): FunctionRow {
    if (change.image !== undefined) this.images.refer('image', change.image);
    const before = this.functions.get(uuid);
    const row = this.functions.put(changed(before, { ...change, updatedAt: this.clock.now() }));
    if (row.image !== before.image) this.market.winnable.touch();
    return row;
  }

  /** Puts a run on the market and answers its uuid. Throws a Refusal that names the field that is wrong. */
  addRun(run: NewRun): string {
    const fn = this.functions.refer('function', run.function);
    const baseGpu = run.baseGpu ?? null;
    const jobArguments = run.jobArguments ?? splitOrRefuse(run.parameters);
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

  /** Deletes a run and its jobs; `evenInProgress` does what HTTP refuses: takes it away from those who run it. */
  deleteRun(uuid: string, options: { readonly evenInProgress?: boolean } = {}): void {
    this.market.delete(uuid, options.evenInProgress ?? false);
  }

  /** Adds an instance, not yet on the market, and answers its uuid. */
  addInstance(terms: InstanceTerms, owner: string = this.#provider): string {
    return this.offers.add(owner, terms).uuid;
  }

  /** In the order of the run's parameters; none where the run is gone. */
  jobsOf(run: string): readonly JobRow[] {
    return this.market.jobs.ofRun(run);
  }

  /** Undefined where it is gone with its run. */
  job(uuid: string): JobRow | undefined {
    return this.market.jobs.find(uuid);
  }

  /** The account of a user, of the provider's unless named. */
  account(username: string = this.#provider): UserRow | undefined {
    return this.accounts.find(username);
  }

  /** Tells the listener of everything that happens from now on; answers a function that ends it. */
  onEvent(listener: BrokerListener): () => void {
    return this.#events.listen(listener);
  }
}

function splitOrRefuse(parameters: string): readonly string[] {
  let items: readonly string[];
  try {
    items = splitParameters(parameters);
  } catch (thrown) {
    throw invalid('parameters', asAgentError(thrown).message);
  }
  if (items.length === 0) throw invalid('parameters', 'There must be at least one tuple of arguments.');
  return items;
}
