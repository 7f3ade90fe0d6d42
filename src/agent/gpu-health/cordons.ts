import type { Gpu } from '../../domain/gpu.ts';
import {
  type Cordon,
  type CordonSource,
  type GpuLabel,
  type MigParents,
  withSlices,
} from '../../domain/gpu-cordon.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { Observer } from '../events/events.ts';

/** The GPUs that must get no new jobs, and why: the union of what each source has found. Tells what changes, once. */
export class GpuCordons {
  readonly #observe: Observer;
  readonly #onChange: () => void;
  readonly #cordons = new Map<CordonSource, ReadonlyMap<string, Cordon>>();
  /** By uuid of the GPU. */
  readonly #reported = new OncePerChange();
  readonly #names = new Map<string, string>();
  readonly #parents = new Map<string, string>();
  readonly #slices = new Map<string, string>();

  /** `onChange` is called whenever the set may have changed. */
  constructor(observe: Observer, onChange: () => void) {
    this.#observe = observe;
    this.#onChange = onChange;
  }

  /** The slices that were ever seen, and their GPUs. */
  get parents(): MigParents {
    return this.#parents;
  }

  /** All uuids, of GPUs and of slices, that must get no new jobs. */
  get uuids(): ReadonlySet<string> {
    return withSlices(
      [...this.#cordons.values()].flatMap((troubles) => [...troubles.keys()]),
      this.#parents,
    );
  }

  /** Learns what the GPUs are called, and which slices are whose. */
  learn(gpus: readonly Gpu[]): void {
    for (const gpu of gpus) {
      const name = `GPU ${gpu.index}, ${gpu.model}`;
      this.#names.set(gpu.uuid, name);
      const [slice] = gpu.slices;
      if (slice === undefined) this.#slices.delete(gpu.uuid);
      else this.#slices.set(gpu.uuid, slice.uuid);
      for (const { profile, uuid } of gpu.slices) {
        this.#names.set(uuid, `slice ${profile} of ${name}`);
        this.#parents.set(uuid, gpu.uuid);
      }
    }
  }

  name(uuid: string): GpuLabel {
    return { uuid, name: `${this.#names.get(uuid) ?? 'GPU'} (${uuid})` };
  }

  /** What a source has against a GPU, or against the GPU that a slice is cut from. */
  find(source: CordonSource, uuid: string): Cordon | undefined {
    return this.get(source, uuid) ?? this.get(source, this.#parents.get(uuid) ?? uuid);
  }

  /** A slice of a GPU that is cut into slices as last seen; undefined for all else. */
  sliceOf(uuid: string): string | undefined {
    return this.#slices.get(uuid);
  }

  /** What a source has against just this GPU or slice. */
  get(source: CordonSource, uuid: string): Cordon | undefined {
    return this.#cordons.get(source)?.get(uuid);
  }

  /** Says all that a source has to say; what it said before is forgotten. */
  replace(source: CordonSource, troubles: ReadonlyMap<string, Cordon>): void {
    this.#cordons.set(source, new Map(troubles));
    this.#report();
    this.#onChange();
  }

  cordon(source: CordonSource, uuid: string, trouble: Cordon): void {
    this.replace(source, new Map([...(this.#cordons.get(source) ?? []), [uuid, trouble]]));
  }

  uncordon(source: CordonSource, uuid: string): void {
    const left = new Map(this.#cordons.get(source));
    if (left.delete(uuid)) this.replace(source, left);
  }

  #report(): void {
    const now = new Map<string, Cordon[]>();
    for (const troubles of this.#cordons.values())
      for (const [uuid, trouble] of troubles)
        if (trouble.quiet !== true) now.set(uuid, [...(now.get(uuid) ?? []), trouble]);
    for (const [uuid, troubles] of now) {
      const why = troubles.map((trouble) => trouble.why).join('; ');
      if (!this.#reported.isNew(why, uuid)) continue;
      const hint = troubles.map((trouble) => trouble.hint).join('; ');
      this.#observe({ kind: 'gpu-cordoned', gpu: this.name(uuid), why, hint });
    }
    for (const uuid of this.#reported.retain((reported) => now.has(reported)))
      this.#observe({ kind: 'gpu-uncordoned', gpu: this.name(uuid) });
  }
}
