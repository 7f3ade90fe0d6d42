import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { microDollars } from '../pricing/money.ts';

const REPORTED = z.object({ earned: z.number() });

/** SQL for a number of US dollars in micro-dollars. */
export const MICRO_DOLLARS = 'micro_dollars';
/** SQL for what a reported job has earned in micro-dollars, from the detail of its state. */
export const EARNED_MICRO_DOLLARS = 'earned_micro_dollars';

/**
 * Lets SQL round money as all other code does: SQLite reads some decimals to a neighbouring number, and rounds
 * 0.49999999999999994 up. To be called before any statement that rounds.
 */
export function defineMoney(db: DatabaseSync): void {
  const options = { deterministic: true } as const;
  db.function(MICRO_DOLLARS, options, (dollars) => rounded(Number(dollars)));
  db.function(EARNED_MICRO_DOLLARS, options, (detail) => rounded(earnedIn(String(detail))));
}

/** What is no number would end the migration. */
function rounded(dollars: number): number {
  return Number.isFinite(dollars) ? microDollars(dollars) : 0;
}

function earnedIn(detail: string): number {
  return REPORTED.safeParse(JSON.parse(detail)).data?.earned ?? 0;
}
