import { type Change, changed } from './changed.ts';
import type { Market } from './market.ts';
import type { Places } from './places.ts';
import { invalid, invalidAsAWhole } from './refusal.ts';
import { INSTANCE_TYPE, type InstanceRow } from './rows.ts';

/** What a provider says of its instance. */
export type InstanceTerms = Pick<InstanceRow, 'name' | 'type' | 'gpu' | 'askPrice' | 'maxNumParallelJobs'>;

/** The providers' instances: what they offer, and whether they are on the market. */
export class Offers {
  readonly #places: Places;
  readonly #market: Market;

  constructor(places: Places, market: Market) {
    this.#places = places;
    this.#market = market;
  }

  /** Adds an instance that is not on the market yet. Throws an invalid Refusal where the terms don't fit. */
  add(owner: string, terms: InstanceTerms): InstanceRow {
    this.#check(terms);
    const instance = this.#places.instances.put({
      ...terms,
      uuid: this.#places.uuid(),
      owner,
      available: false,
      downloadedImages: [],
      lastConnection: null,
    });
    this.#places.events.emit({ kind: 'instance-added', instance });
    return instance;
  }

  /** Changes the terms. What the instance may win may change with them, so that held calls must look again. */
  changeTerms(uuid: string, change: Change<InstanceTerms>): InstanceRow {
    const before = this.#places.instances.get(uuid);
    this.#check(changed<InstanceTerms>(before, change));
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

  /** Throws a Refusal while the instance holds jobs. */
  delete(uuid: string): void {
    const instance = this.#places.instances.get(uuid);
    if (this.#market.jobs.heldBy(uuid).length > 0) {
      throw invalidAsAWhole(
        'Some jobs of this instance are in progress. Please wait until they are finished.',
      );
    }
    this.#places.instances.remove(uuid);
    this.#market.leases.forget(uuid);
    this.#places.events.emit({ kind: 'instance-deleted', instance });
  }

  #otherImages(uuid: string, registryPath: string): readonly string[] {
    const known = this.#places.images.all().some((image) => image.registryPath === registryPath);
    if (!known) throw invalid('image_registry_path', `There is no image "${registryPath}".`);
    return this.#places.instances.get(uuid).downloadedImages.filter((path) => path !== registryPath);
  }

  #change(uuid: string, change: Change<InstanceRow>): InstanceRow {
    this.#market.seen(this.#places.instances.get(uuid));
    const instance = this.#places.instances.put(changed(this.#places.instances.get(uuid), change));
    this.#places.events.emit({ kind: 'instance-changed', instance });
    return instance;
  }

  #check(terms: InstanceTerms): void {
    const isGpu = terms.type === INSTANCE_TYPE.GPU;
    if (isGpu && terms.gpu === null) throw invalid('gpu', 'A GPU instance needs a GPU.');
    if (!isGpu && terms.gpu !== null) throw invalid('gpu', 'A CPU instance has no GPU.');
    if (terms.gpu !== null) this.#places.gpus.refer('gpu', terms.gpu);
  }
}
