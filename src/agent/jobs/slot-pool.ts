import type { Slot } from '../../domain/offer.ts';

/** The slots of one offer: which are free, filled, or kept out because their GPU is not well. */
export class SlotPool {
  readonly #slots: readonly Slot[];
  readonly #filled = new Set<string>();
  #kept: ReadonlySet<string> = new Set();
  readonly #onFree: () => void;

  /** `onFree` is called whenever a slot may have become free. */
  constructor(slots: readonly Slot[], onFree: () => void) {
    this.#slots = slots;
    this.#onFree = onFree;
  }

  /** How many jobs could be taken now. */
  get free(): number {
    return this.#slots.filter((slot) => this.#isFree(slot)).length;
  }

  has(slotId: string): boolean {
    return this.#slots.some((slot) => slot.id === slotId);
  }

  /** Takes a free slot, on the GPU with the most free ones first so that jobs spread; undefined where none is free. */
  take(): Slot | undefined {
    const free = this.#slots.filter((slot) => this.#isFree(slot));
    const room = new Map<string | null, number>();
    for (const slot of free) room.set(slot.gpu, (room.get(slot.gpu) ?? 0) + 1);
    const best = free.sort((a, b) => (room.get(b.gpu) ?? 0) - (room.get(a.gpu) ?? 0))[0];
    if (best !== undefined) this.#filled.add(best.id);
    return best;
  }

  /** Marks a slot as filled by a job that was already running when the agent started. */
  adopt(slotId: string): void {
    this.#filled.add(slotId);
  }

  release(slotId: string): void {
    if (this.#filled.delete(slotId)) this.#onFree();
  }

  /** Keeps the slots on these GPUs (uuids of GPUs or MIG slices) free of new jobs; replaces what was kept before. */
  cordon(gpus: ReadonlySet<string>): void {
    this.#kept = gpus;
    this.#onFree();
  }

  #isFree(slot: Slot): boolean {
    return !this.#filled.has(slot.id) && (slot.gpu === null || !this.#kept.has(slot.gpu));
  }
}
