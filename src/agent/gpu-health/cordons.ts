import type { Gpu } from '../../domain/gpu.ts';
import {
  type Family,
  type GpuName,
  type Trouble,
  type TroubleSource,
  withSlices,
} from '../../domain/gpu-cordon.ts';
import type { Observer } from '../events/events.ts';

/** The GPUs that must get no new jobs, and why: the union of what each source has found. Tells what changes, once. */
export class KeptOut {
  readonly #observe: Observer;
  readonly #onChange: () => void;
  readonly #troubles = new Map<TroubleSource, ReadonlyMap<string, Trouble>>();
  /** What was told of each GPU, by uuid. */
  readonly #told = new Map<string, string>();
  readonly #names = new Map<string, string>();
  readonly #family = new Map<string, string>();
  readonly #slices = new Map<string, string>();

  /** `onChange` is called whenever the set may have changed. */
  constructor(observe: Observer, onChange: () => void) {
    this.#observe = observe;
    this.#onChange = onChange;
  }

  /** The slices that were ever seen, and their GPUs. */
  get family(): Family {
    return this.#family;
  }

  /** All uuids, of GPUs and of slices, that must get no new jobs. */
  get uuids(): ReadonlySet<string> {
    return withSlices(
      [...this.#troubles.values()].flatMap((troubles) => [...troubles.keys()]),
      this.#family,
    );
  }

  /** Learns what the GPUs are called, and which slices are whose. */
  know(gpus: readonly Gpu[]): void {
    for (const gpu of gpus) {
      const name = `GPU ${gpu.index}, ${gpu.model}`;
      this.#names.set(gpu.uuid, name);
      const [slice] = gpu.slices;
      if (slice === undefined) this.#slices.delete(gpu.uuid);
      else this.#slices.set(gpu.uuid, slice.uuid);
      for (const { profile, uuid } of gpu.slices) {
        this.#names.set(uuid, `slice ${profile} of ${name}`);
        this.#family.set(uuid, gpu.uuid);
      }
    }
  }

  name(uuid: string): GpuName {
    return { uuid, name: `${this.#names.get(uuid) ?? 'GPU'} (${uuid})` };
  }

  /** What a source has against a GPU, or against the GPU that a slice is cut from. */
  trouble(source: TroubleSource, uuid: string): Trouble | undefined {
    return this.own(source, uuid) ?? this.own(source, this.#family.get(uuid) ?? uuid);
  }

  /** A slice of a GPU that is cut into slices as last seen; undefined for all else. */
  sliceOf(uuid: string): string | undefined {
    return this.#slices.get(uuid);
  }

  /** What a source has against just this GPU or slice. */
  own(source: TroubleSource, uuid: string): Trouble | undefined {
    return this.#troubles.get(source)?.get(uuid);
  }

  /** Says all that a source has to say; what it said before is forgotten. */
  replace(source: TroubleSource, troubles: ReadonlyMap<string, Trouble>): void {
    this.#troubles.set(source, new Map(troubles));
    this.#tell();
    this.#onChange();
  }

  put(source: TroubleSource, uuid: string, trouble: Trouble): void {
    this.replace(source, new Map([...(this.#troubles.get(source) ?? []), [uuid, trouble]]));
  }

  lift(source: TroubleSource, uuid: string): void {
    const left = new Map(this.#troubles.get(source));
    if (left.delete(uuid)) this.replace(source, left);
  }

  #tell(): void {
    const now = new Map<string, Trouble[]>();
    for (const troubles of this.#troubles.values())
      for (const [uuid, trouble] of troubles)
        if (trouble.quiet !== true) now.set(uuid, [...(now.get(uuid) ?? []), trouble]);
    for (const [uuid, troubles] of now) {
      const why = troubles.map((trouble) => trouble.why).join('; ');
      if (this.#told.get(uuid) === why) continue;
      this.#told.set(uuid, why);
      const mend = troubles.map((trouble) => trouble.mend).join('; ');
      this.#observe({ kind: 'gpu-kept-out', gpu: this.name(uuid), why, mend });
    }
    for (const uuid of this.#told.keys()) {
      if (now.has(uuid)) continue;
      this.#told.delete(uuid);
      this.#observe({ kind: 'gpu-back', gpu: this.name(uuid) });
    }
  }
}
