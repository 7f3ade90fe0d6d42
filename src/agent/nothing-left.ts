import { sleep } from '../lib/sleep.ts';
import type { MarketStand } from './market-stand.ts';

const LOOK_EVERY_MS = 50;

/**
 * Settles when every offer has seen, twice in a row, a market with nothing in it for us while nothing runs here and
 * nothing is owed; or when the signal aborts.
 */
export async function nothingLeft(
  stands: () => readonly MarketStand[],
  idle: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  let confirmed = false;
  while (await sleep(LOOK_EVERY_MS, signal)) {
    const quiet = stands().every((stand) => stand.quiet) && idle();
    if (quiet && confirmed) return;
    confirmed = quiet;
    if (quiet) await Promise.all(stands().map((stand) => stand.lookAgain(signal)));
  }
}
