import type {
  EndedSlotJob,
  PriceChange,
  PriceFreeze,
  PriceStore,
  PricingState,
} from '../../../src/domain/ports/price-store.ts';

/** What asks were, in memory; it outlives the pricers that a test restarts. */
export class MemoryPrices implements PriceStore {
  readonly states = new Map<string, PricingState>();
  readonly allChanges: PriceChange[] = [];
  readonly ended: EndedSlotJob[] = [];
  #freeze: PriceFreeze | undefined;
  /** Thrown by the next write. */
  failure: Error | undefined;
  /** Thrown by the next write of a change. */
  changeFailure: Error | undefined;

  state(offer: string): PricingState | undefined {
    return this.states.get(offer);
  }

  save(state: PricingState, change?: PriceChange): void {
    if (this.failure !== undefined) throw this.failure;
    if (change !== undefined && this.changeFailure !== undefined) throw this.changeFailure;
    this.states.set(state.offer, state);
    if (change !== undefined) this.allChanges.push(change);
  }

  changes(limit: number): readonly PriceChange[] {
    return this.allChanges.toReversed().slice(0, limit);
  }

  lastChange(offer: string): PriceChange | undefined {
    return this.allChanges.findLast((change) => change.offer === offer);
  }

  freeze(): PriceFreeze | undefined {
    return this.#freeze;
  }

  setFreeze(freeze: PriceFreeze | undefined): void {
    this.#freeze = freeze;
  }

  lastSeq(): number {
    return this.ended.length;
  }

  endedAfter(_offer: string, seq: number): { readonly seq: number; readonly jobs: readonly EndedSlotJob[] } {
    return { seq: this.ended.length, jobs: this.ended.slice(seq) };
  }
}
