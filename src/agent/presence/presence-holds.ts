import type { MigParents } from '../../domain/gpu-cordon.ts';
import type { Hold, Target } from '../../domain/hold.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { HoldSource } from '../holds/hold-source.ts';

/** The GPUs that take no new jobs because their owner is here, or may be. */
export class PresenceHolds implements HoldSource {
  readonly changed = new Notifier();
  #holds: ReadonlyMap<string, Hold> = new Map();
  #parents: MigParents = new Map();

  /** A slice is held with its GPU. */
  hold(target: Target): Hold | undefined {
    return this.#holds.get(this.#parents.get(target) ?? target);
  }

  /** By uuid of the GPU; replaces the last ones. */
  replace(holds: ReadonlyMap<string, Hold>, parents: MigParents): void {
    const isSame =
      holds.size === this.#holds.size && [...holds].every(([gpu, hold]) => this.#holds.get(gpu) === hold);
    this.#holds = holds;
    this.#parents = parents;
    if (!isSame) this.changed.notify();
  }
}
