import type { InstanceRow, JobRow, RunRow } from './rows.ts';

/** A change at the broker. A repeated request that changes nothing is no event. */
export type BrokerEvent =
  | { readonly kind: 'run-added' | 'run-deleted'; readonly run: RunRow }
  | {
      /** `expired`: back on the market because the lease of its instance expired. */
      readonly kind: 'claimed' | 'released' | 'reported' | 'expired';
      readonly job: JobRow;
      readonly instance: string;
    }
  | {
      readonly kind: 'instance-added' | 'instance-changed' | 'instance-deleted';
      readonly instance: InstanceRow;
    };

export type BrokerListener = (event: BrokerEvent) => void;

/** Passes events to listeners in their order. */
export class BrokerEvents {
  readonly #listeners = new Set<BrokerListener>();

  /** Returns a function that removes the listener. */
  listen(listener: BrokerListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: BrokerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
