import { type Target, targetOf } from '../../domain/hold.ts';
import type { Slot } from '../../domain/offer.ts';
import type { Notifier } from '../../lib/notifier.ts';

/** A slot that is filled until the lease is disposed of; `number`: from 0 on, of no slot that was filled before. */
export type SlotLease = Disposable & { readonly slot: Slot; readonly number: number };

/** What a slot is, and how many are it. */
export type SlotStates = {
  /** It has a job. */
  readonly used: number;
  readonly free: number;
  /** The owner keeps it from jobs. */
  readonly held: number;
  readonly cordoned: number;
  /** Its GPU runs one job at a time, and has one or is to get one. */
  readonly waiting: number;
};

/** All slots of this host: which are free, leased, cordoned with their GPU, or held by the owner. */
export class SlotPool {
  readonly #offers = new Set<OfferSlots>();
  /** By the slot's id; a recovered job leases its slot before its offer has added it. */
  readonly #leased = new Map<string, Slot>();
  /** The numbers of leases, by the slot's id. */
  readonly #numbers = new Map<string, number>();
  /** Uuids of the GPUs that run one job at a time, however many slots they have. */
  #oneJob: ReadonlySet<string> = new Set();
  #cordoned: ReadonlySet<string> | 'all' = new Set();
  readonly #isHeld: (target: Target) => boolean;

  /** `isHeld` says which targets take no new jobs by the owner's wish; `holdsChanged` that its answers have changed. */
  constructor(isHeld: (target: Target) => boolean = () => false) {
    this.#isHeld = isHeld;
  }

  /** How many jobs may run on this host at once. */
  get size(): number {
    return [...this.#offers].reduce((sum, { slots }) => sum + slots.length, 0);
  }

  /** All slots of all offers. */
  get all(): readonly Slot[] {
    return [...this.#offers].flatMap(({ slots }) => slots);
  }

  /** Whether any slot is leased. */
  get busy(): boolean {
    return this.#leased.size > 0;
  }

  /** Whether nothing is offered yet. */
  get isEmpty(): boolean {
    return this.#offers.size === 0;
  }

  /** Whether any slot could get a job now or once its job has ended; true also where there are no slots yet. */
  get isUsable(): boolean {
    const offers = [...this.#offers];
    return offers.length === 0 || offers.some(({ slots }) => !this.areCordoned(slots));
  }

  /** Whether all of these slots are cordoned; there is at least one. */
  areCordoned(slots: readonly Slot[]): boolean {
    return slots.length > 0 && slots.every(({ gpu }) => this.#isCordoned(gpu));
  }

  /** The targets that have slots. */
  get targets(): ReadonlySet<Target> {
    return new Set([...this.#offers].flatMap(({ slots }) => slots.map(targetOf)));
  }

  /** Whether any offer has slots of this target. */
  has(target: Target): boolean {
    return this.targets.has(target);
  }

  /** Uuids of the GPUs and MIG slices that have slots. */
  get gpus(): ReadonlySet<string> {
    return new Set([...this.#offers].flatMap(({ slots }) => slots.flatMap(({ gpu }) => gpu ?? [])));
  }

  /** Adds the slots of an offer. `freed` is notified whenever one of them may have become free. */
  add(slots: readonly Slot[], freed: Notifier): OfferSlots {
    const added = new OfferSlots(this, slots, freed);
    this.#offers.add(added);
    return added;
  }

  /**
   * Leases this very slot: for a job that ran in it before the agent started, with the number that it had then, and for
   * `OfferSlots.take`.
   */
  lease(slot: Slot, number = this.#number(slot.id)): SlotLease {
    this.#leased.set(slot.id, slot);
    this.#numbers.set(slot.id, number);
    let isHeld = true;
    return {
      slot,
      number,
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#leased.delete(slot.id);
        this.#numbers.delete(slot.id);
        for (const offer of this.#offers) if (offer.has(slot.id)) offer.freed.notify();
      },
    };
  }

  #number(slotId: string): number {
    const taken = new Set(this.#numbers.values());
    let number = this.#numbers.get(slotId) ?? 0;
    if (!this.#numbers.has(slotId)) while (taken.has(number)) number += 1;
    return number;
  }

  /** Keeps new jobs off these GPUs and slices, or off all GPUs; replaces the last cordon. */
  cordon(gpus: ReadonlySet<string> | 'all'): void {
    this.#cordoned = gpus;
    this.#mayBeFree();
  }

  /** Some slots may be held, or held no longer. */
  holdsChanged(): void {
    this.#mayBeFree();
  }

  /** Whether the owner keeps new jobs off this slot. */
  isHeld(slot: Slot): boolean {
    return this.#isHeld(targetOf(slot));
  }

  /** Lets these GPUs run one job at a time: only one process may compute on them. Replaces the last such limit. */
  limitToOneJob(gpus: ReadonlySet<string>): void {
    const isSame = gpus.size === this.#oneJob.size && [...gpus].every((uuid) => this.#oneJob.has(uuid));
    if (isSame) return;
    this.#oneJob = gpus;
    this.#mayBeFree();
  }

  /** Those of these slots that could be filled at once. */
  freeOf(slots: readonly Slot[]): readonly Slot[] {
    const single = new Set<string>();
    return slots.filter((slot) => {
      const { gpu } = slot;
      if (!this.isFree(slot)) return false;
      if (gpu === null || !this.#oneJob.has(gpu)) return true;
      return !single.has(gpu) && single.add(gpu).has(gpu);
    });
  }

  isLeased(slot: Slot): boolean {
    return this.#leased.has(slot.id);
  }

  isFree(slot: Slot): boolean {
    const isOpen = !this.#isCordoned(slot.gpu) && !this.isHeld(slot);
    return isOpen && !this.isLeased(slot) && !this.#isTaken(slot.gpu);
  }

  #mayBeFree(): void {
    for (const { freed } of this.#offers) freed.notify();
  }

  #isTaken(gpu: string | null): boolean {
    if (gpu === null || !this.#oneJob.has(gpu)) return false;
    return [...this.#leased.values()].some((slot) => slot.gpu === gpu);
  }

  #isCordoned(gpu: string | null): boolean {
    return gpu !== null && (this.#cordoned === 'all' || this.#cordoned.has(gpu));
  }
}

/** The slots of one offer. */
export class OfferSlots {
  readonly #pool: SlotPool;
  readonly slots: readonly Slot[];
  readonly freed: Notifier;

  constructor(pool: SlotPool, slots: readonly Slot[], freed: Notifier) {
    this.#pool = pool;
    this.slots = slots;
    this.freed = freed;
  }

  /** How many jobs could be taken now. */
  get free(): number {
    return this.freeSlots.length;
  }

  /** The slots that could be filled at once. */
  get freeSlots(): readonly Slot[] {
    return this.#pool.freeOf(this.slots);
  }

  /** How many of the slots the owner does not keep from jobs. */
  get open(): number {
    return this.slots.filter((slot) => !this.#pool.isHeld(slot)).length;
  }

  /** How many of the slots are leased. */
  get used(): number {
    return this.usedSlots.length;
  }

  /** The slots that are leased. */
  get usedSlots(): readonly Slot[] {
    return this.slots.filter((slot) => this.#pool.isLeased(slot));
  }

  /** How many of the slots are in each state. */
  get states(): SlotStates {
    const states = { used: 0, free: this.free, held: 0, cordoned: 0, waiting: 0 };
    for (const slot of this.slots) {
      if (this.#pool.isLeased(slot)) states.used += 1;
      else if (this.#pool.areCordoned([slot])) states.cordoned += 1;
      else if (this.#pool.isHeld(slot)) states.held += 1;
      else states.waiting += 1;
    }
    states.waiting -= states.free;
    return states;
  }

  /** Whether all of the slots are cordoned. */
  get areCordoned(): boolean {
    return this.#pool.areCordoned(this.slots);
  }

  /** Whether any of the slots is leased. */
  get busy(): boolean {
    return this.slots.some((slot) => this.#pool.isLeased(slot));
  }

  has(slotId: string): boolean {
    return this.slots.some(({ id }) => id === slotId);
  }

  /**
   * Leases a slot that may be filled for `neededMs`, of several one for which that is the shortest time, so that long jobs
   * find room; else on the GPU with the most free ones, so that jobs spread. Undefined where none is free.
   */
  take(leftMs: (slot: Slot) => number = () => Infinity, neededMs = (): number => 0): SlotLease | undefined {
    const free = this.slots
      .filter((slot) => this.#pool.isFree(slot))
      .map((slot) => ({ slot, left: leftMs(slot) }))
      .filter(({ left }) => left === Infinity || left >= neededMs());
    const perGpu = new Map<string | null, number>();
    for (const { slot } of free) perGpu.set(slot.gpu, (perGpu.get(slot.gpu) ?? 0) + 1);
    const count = ({ gpu }: Slot): number => perGpu.get(gpu) ?? 0;
    const isLess = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);
    const best = free.sort((a, b) => isLess(a.left, b.left) || count(b.slot) - count(a.slot))[0]?.slot;
    return best === undefined ? undefined : this.#pool.lease(best);
  }
}
