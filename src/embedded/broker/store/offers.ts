import type { Market } from './market.ts';
import { type Patch, patched } from './patch.ts';
import { invalid, invalidRequest } from './refusal.ts';
import { INSTANCE_TYPE, type InstanceRow } from './rows.ts';
import type { StoreContext } from './store-context.ts';

/** The terms of an instance that its provider sets. */
export type InstanceTerms = Pick<InstanceRow, 'name' | 'type' | 'gpu' | 'askPrice' | 'maxNumParallelJobs'>;

/** The providers' instances: their terms and whether they are on the market. */
export class Offers {
  readonly #context: StoreContext;
  readonly #market: Market;

  constructor(context: StoreContext, market: Market) {
    this.#context = context;
    this.#market = market;
  }

  /** Adds an instance off the market. Throws an invalid Refusal for contradictory terms. */
  add(owner: string, terms: InstanceTerms): InstanceRow {
    this.#check(terms);
    const instance = this.#context.instances.put({
      ...terms,
      uuid: this.#context.uuid(),
      owner,
      available: false,
      downloadedImages: [],
      lastConnection: null,
    });
    this.#context.events.emit({ kind: 'instance-added', instance });
    return instance;
  }

  /** Changes the terms, and with them possibly what the instance can win, which ends held calls. */
  changeTerms(uuid: string, change: Patch<InstanceTerms>): InstanceRow {
    const before = this.#context.instances.get(uuid);
    this.#check(patched<InstanceTerms>(before, change));
    const after = this.#change(uuid, change);
    if (before.askPrice !== after.askPrice || before.type !== after.type || before.gpu !== after.gpu) {
      this.#market.winnable.touch();
    }
    return after;
  }

  setAvailable(uuid: string, available: boolean): InstanceRow {
    return this.#change(uuid, { available });
  }

  addImage(uuid: string, registryPath: string): InstanceRow {
    const others = this.#otherImages(uuid, registryPath);
    return this.#change(uuid, { downloadedImages: [...others, registryPath] });
  }

  deleteImage(uuid: string, registryPath: string): InstanceRow {
    return this.#change(uuid, { downloadedImages: this.#otherImages(uuid, registryPath) });
  }

  /** Throws a Refusal while the instance has jobs. */
  delete(uuid: string): void {
    const instance = this.#context.instances.get(uuid);
    if (this.#market.jobs.heldBy(uuid).length > 0) {
      throw invalidRequest(
        'Some jobs of this instance are in progress. Please wait until they are finished.',
      );
    }
    this.#context.instances.remove(uuid);
    this.#market.leases.forget(uuid);
    this.#context.events.emit({ kind: 'instance-deleted', instance });
  }

  #otherImages(uuid: string, registryPath: string): readonly string[] {
    const known = this.#context.images.all().some((image) => image.registryPath === registryPath);
    if (!known) throw invalid('image_registry_path', `There is no image "${registryPath}".`);
    return this.#context.instances.get(uuid).downloadedImages.filter((path) => path !== registryPath);
  }

  #change(uuid: string, change: Patch<InstanceRow>): InstanceRow {
    this.#market.seen(this.#context.instances.get(uuid));
    const instance = this.#context.instances.put(patched(this.#context.instances.get(uuid), change));
    this.#context.events.emit({ kind: 'instance-changed', instance });
    return instance;
  }

  #check(terms: InstanceTerms): void {
    const isGpu = terms.type === INSTANCE_TYPE.GPU;
    if (isGpu && terms.gpu === null) throw invalid('gpu', 'A GPU instance needs a GPU.');
    if (!isGpu && terms.gpu !== null) throw invalid('gpu', 'A CPU instance has no GPU.');
    if (terms.gpu !== null) this.#context.gpus.refer('gpu', terms.gpu);
  }
}
