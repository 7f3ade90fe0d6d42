import { sleep } from '../lib/sleep.ts';
import type { MarketStand } from './market-stand.ts';

const LOOK_EVERY_MS = 50;

/**
 * Settles when every offer has looked afresh at the market, with nothing taken for granted, and found nothing in it
 * for us, while nothing runs here and nothing is owed; or when the signal aborts.
 */
export async function nothingLeft(
  stands: () => readonly MarketStand[],
  idle: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  let afresh = false;
  while (await sleep(LOOK_EVERY_MS, signal)) {
    if (!idle()) afresh = false;
    else if (stands().every((stand) => stand.quiet)) {
      if (afresh) return;
      await Promise.all(stands().map((stand) => stand.lookAgain(signal)));
      afresh = true;
    }
  }
}
