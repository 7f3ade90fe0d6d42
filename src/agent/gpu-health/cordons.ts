import type { Gpu } from '../../domain/gpu.ts';
import {
  type Cordon,
  type CordonSource,
  type GpuAddresses,
  type GpuLabel,
  type MigParents,
  withSlices,
} from '../../domain/gpu-cordon.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { Observer } from '../events/events.ts';

/** The cordoned GPUs, and why: the union of what each source has found. Reports each change once. */
export class GpuCordons {
  readonly #observe: Observer;
  readonly #onChange: () => void;
  readonly #cordons = new Map<CordonSource, ReadonlyMap<string, Cordon>>();
  /** By uuid of the GPU. */
  readonly #reported = new OncePerChange();
  readonly #names = new Map<string, string>();
  readonly #parents = new Map<string, string>();
  readonly #slices = new Map<string, string>();
  readonly #addresses = new Map<string, string>();

  /** `onChange` is called whenever the set may have changed. */
  constructor(observe: Observer, onChange: () => void) {
    this.#observe = observe;
    this.#onChange = onChange;
  }

  /** The GPU of each slice that was ever seen. */
  get parents(): MigParents {
    return this.#parents;
  }

  /** The PCI address of each GPU that was ever seen. */
  get addresses(): GpuAddresses {
    return this.#addresses;
  }

  /** All cordoned uuids, of GPUs and of slices. */
  get uuids(): ReadonlySet<string> {
    return withSlices(
      [...this.#cordons.values()].flatMap((cordons) => [...cordons.keys()]),
      this.#parents,
    );
  }

  /** Learns the names, PCI addresses and slices of GPUs. */
  learn(gpus: readonly Gpu[]): void {
    for (const gpu of gpus) {
      const name = `GPU ${gpu.index}, ${gpu.model}`;
      this.#names.set(gpu.uuid, name);
      this.#addresses.set(gpu.uuid, gpu.busId);
      const [slice] = gpu.slices;
      if (slice === undefined) this.#slices.delete(gpu.uuid);
      else this.#slices.set(gpu.uuid, slice.uuid);
      for (const { profile, uuid } of gpu.slices) {
        this.#names.set(uuid, `slice ${profile} of ${name}`);
        this.#parents.set(uuid, gpu.uuid);
      }
    }
  }

  /** Why GPUs are cordoned, in one line, and what can be done about it; undefined: none is. */
  get problem(): { readonly why: string; readonly hint: string } | undefined {
    const all = [...this.#cordons.values()].flatMap((cordons) => [...cordons]);
    if (all.length === 0) return undefined;
    const words = all.map(([uuid, { why }]) => `${this.name(uuid).name}: ${why}`);
    return { why: words.join('; '), hint: [...new Set(all.map(([, { hint }]) => hint))].join('; ') };
  }

  name(uuid: string): GpuLabel {
    return { uuid, name: `${this.#names.get(uuid) ?? 'GPU'} (${uuid})` };
  }

  /** A source's cordon of a GPU or slice, or of the slice's GPU. */
  find(source: CordonSource, uuid: string): Cordon | undefined {
    return this.get(source, uuid) ?? this.get(source, this.#parents.get(uuid) ?? uuid);
  }

  /** Why a GPU or slice is cordoned, by any source; undefined: it is not. */
  about(uuid: string): { readonly why: string; readonly hint: string } | undefined {
    const found = [...this.#cordons.keys()].flatMap((source) => this.find(source, uuid) ?? []);
    if (found.length === 0) return undefined;
    return {
      why: [...new Set(found.map(({ why }) => why))].join('; '),
      hint: [...new Set(found.map(({ hint }) => hint))].join('; '),
    };
  }

  /** The sources that have cordoned a GPU or slice. */
  sourcesOf(uuid: string): readonly CordonSource[] {
    return [...this.#cordons.keys()].filter((source) => this.find(source, uuid) !== undefined);
  }

  /** A slice of a GPU that had slices at the last poll; undefined where it had none. */
  sliceOf(uuid: string): string | undefined {
    return this.#slices.get(uuid);
  }

  /** A source's cordon of just this GPU or slice. */
  get(source: CordonSource, uuid: string): Cordon | undefined {
    return this.#cordons.get(source)?.get(uuid);
  }

  /** Replaces all cordons of a source. */
  replace(source: CordonSource, cordons: ReadonlyMap<string, Cordon>): void {
    this.#cordons.set(source, new Map(cordons));
    this.#report();
    this.#onChange();
  }

  cordon(source: CordonSource, uuid: string, cordon: Cordon): void {
    this.replace(source, new Map([...(this.#cordons.get(source) ?? []), [uuid, cordon]]));
  }

  uncordon(source: CordonSource, uuid: string): void {
    const left = new Map(this.#cordons.get(source));
    if (left.delete(uuid)) this.replace(source, left);
  }

  #report(): void {
    const now = new Map<string, Cordon[]>();
    for (const cordons of this.#cordons.values())
      for (const [uuid, cordon] of cordons)
        if (cordon.quiet !== true) now.set(uuid, [...(now.get(uuid) ?? []), cordon]);
    for (const [uuid, cordons] of now) {
      const why = cordons.map((cordon) => cordon.why).join('; ');
      if (!this.#reported.isNew(why, uuid)) continue;
      const hint = cordons.map((cordon) => cordon.hint).join('; ');
      this.#observe({ kind: 'gpu-cordoned', gpu: this.name(uuid), why, hint });
    }
    for (const uuid of this.#reported.retain((reported) => now.has(reported)))
      this.#observe({ kind: 'gpu-uncordoned', gpu: this.name(uuid) });
  }
}
