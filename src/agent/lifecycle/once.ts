import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import { sleep } from '../../lib/sleep.ts';
import type { MarketStand } from '../market/offer-worker.ts';
import { ONCE_PATIENCE_MS } from '../retry/policies.ts';

const LOOK_EVERY_MS = 50;

/** What `--once` looks at to know whether it is done. */
export type Work = {
  readonly stands: () => readonly MarketStand[];
  /** Nothing runs here and nothing is owed. */
  readonly idle: () => boolean;
  /** Why what is owed will never be taken; undefined: it may well be. */
  readonly hopeless: () => AgentError | undefined;
  readonly clock: Clock;
};

/**
 * Settles when every offer has looked afresh at the market, with nothing taken for granted, and found nothing in it
 * for us, while nothing runs here and nothing is owed; or when the signal aborts. Throws where a market stays out of
 * sight, or what is owed is refused, for so long that a person must look.
 */
export async function nothingLeft(work: Work, signal: AbortSignal): Promise<void> {
  const { clock, hopeless, idle, stands } = work;
  let afresh = false;
  let inSightAt = clock.monotonic();
  while (await sleep(LOOK_EVERY_MS, signal)) {
    const refused = hopeless();
    if (refused !== undefined) throw refused;
    const error = stands().find(({ market }) => market.error !== undefined)?.market.error;
    if (error === undefined || !idle()) inSightAt = clock.monotonic();
    else if (clock.monotonic() - inSightAt > ONCE_PATIENCE_MS) throw error;
    if (!idle()) afresh = false;
    else if (stands().every((stand) => stand.quiet)) {
      if (afresh) return;
      for (const stand of stands()) stand.lookAgain();
      afresh = true;
    }
  }
}
