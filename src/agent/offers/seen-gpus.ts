import type { Gpu } from '../../domain/gpu.ts';

/** The GPUs and slices that were looked at for an offer. One that was not well then is new once it is. */
export class SeenGpus {
  readonly #uuids = new Set<string>();

  note(gpus: readonly Gpu[]): void {
    for (const gpu of gpus) {
      if (gpu.fault === undefined) for (const uuid of uuidsOf(gpu)) this.#uuids.add(uuid);
    }
  }

  /** Whether one of these can be offered that could not before. */
  areNew(gpus: readonly Gpu[]): boolean {
    return gpus.some((gpu) => gpu.fault === undefined && !uuidsOf(gpu).some((uuid) => this.#uuids.has(uuid)));
  }
}

function uuidsOf({ slices, uuid }: Gpu): readonly string[] {
  return [uuid, ...slices.map((slice) => slice.uuid)];
}
