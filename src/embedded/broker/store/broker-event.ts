import type { InstanceRow, JobRow, RunRow } from './rows.ts';

/** What happened at the broker. A repeated request that changed nothing is no event. */
export type BrokerEvent =
  | { readonly kind: 'run-added' | 'run-deleted'; readonly run: RunRow }
  | {
      /** `expired`: given back to the market because its instance was not seen for its lease. */
      readonly kind: 'claimed' | 'released' | 'reported' | 'expired';
      readonly job: JobRow;
      readonly instance: string;
    }
  | {
      readonly kind: 'instance-added' | 'instance-changed' | 'instance-deleted';
      readonly instance: InstanceRow;
    };

export type BrokerListener = (event: BrokerEvent) => void;

/** Hands events on to whoever listens, in the order in which they happened. */
export class BrokerEvents {
  readonly #listeners = new Set<BrokerListener>();

  /** Answers a function that ends the listening. */
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
