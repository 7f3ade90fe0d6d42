import type { BrokerStore } from '../../../src/embedded/broker/store/store.ts';

/** Waits until `condition` holds; looks again after every event at the broker. */
export async function until(store: BrokerStore, condition: () => boolean): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve) => {
    const stop = store.onEvent(() => {
      if (!condition()) return;
      stop();
      resolve();
    });
  });
}
