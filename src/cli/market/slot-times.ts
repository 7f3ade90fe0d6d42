import { PaidChances } from '../../agent/market/paid-chances.ts';
import { scheduleOf } from '../../compose.ts';
import type { Config } from '../../config/config.ts';
import { expectedDurationMs } from '../../domain/expected-duration.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { targetOf } from '../../domain/hold.ts';
import type { OfferPlan, Slot } from '../../domain/offer.ts';
import type { Run } from '../../domain/run.ts';
import { CPU_SLOTS, gpuTargets } from '../../domain/schedule/target.ts';
import { type JournalReader, readJournal } from '../../journal/open-journal.ts';

/** How long slots may be filled by the owner's schedule, how long jobs take, in milliseconds, and whether they are paid. */
export type SlotTimes = {
  /** Infinity: no end is known. */
  readonly leftMs: (slot: Slot) => number;
  readonly expectedMs: (run: Run) => number;
  /** How likely a job of the run is paid. */
  readonly chancePaid: (run: Run) => number;
  /** What an offer asks now: what its strategy has chosen since it began at the configured price. */
  readonly askOf: (offer: OfferPlan) => number;
};

/** As the agent would find them now, with the journal where it can be read: else jobs take the job timeout. */
export function openSlotTimes(config: Config, gpus: readonly Gpu[], now: number): SlotTimes & Disposable {
  const { schedule } = scheduleOf(config);
  const ends = new Map(
    [CPU_SLOTS, ...gpuTargets(gpus)].map((target) => [target.id, schedule.of(target).windowEnd(now)]),
  );
  const journal = journalOf(config.stateDir);
  return {
    leftMs: (slot) => (ends.get(targetOf(slot)) ?? Infinity) - now,
    expectedMs: ({ functionUuid }) =>
      expectedDurationMs(journal?.durationsOf(functionUuid) ?? [], config.jobTimeout),
    chancePaid: journal === undefined ? () => 1 : new PaidChances(journal.outcomes).of,
    askOf: ({ askPrice, key }) => {
      const state = journal?.prices.state(key);
      const isSame = state?.start === askPrice && state.strategy === config.askStrategy;
      return isSame ? state.ask : askPrice;
    },
    [Symbol.dispose]: () => journal?.close(),
  };
}

function journalOf(stateDir: string): JournalReader | undefined {
  try {
    return readJournal(stateDir);
  } catch {
    // Another user's, say: `market` needs no state directory.
    return undefined;
  }
}
