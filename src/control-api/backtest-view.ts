import { z } from 'zod';
import { INSTANT } from './instant.ts';

const COUNT = z.int().min(0);
/** Of many draws: 5 % of what may have been is below `low`, and 5 % above `high`. */
const RANGE = z.object({ low: z.number(), median: z.number(), high: z.number() });

const ASK = z.object({
  /** US dollars per job and minute. */
  ask: z.number(),
  /** Whether it is the ask now. */
  inForce: z.boolean(),
  earnedMicroDollars: RANGE,
  /** Without the broker’s fee, power and wear; null: no price of electricity is known. */
  netMicroDollars: RANGE.nullable(),
  jobs: RANGE,
  /** The part of the slots’ time with a job, from 0 to 1. */
  busyShare: RANGE,
  /** The part of what is earned that jobs of others would have brought, from 0 to 1. */
  extrapolatedShare: z.number(),
});

const FIGURES = z.object({
  /** The part of the time for which the market is known, paused time included, from 0 to 1. */
  coverage: z.number(),
  ownJobs: COUNT,
  /** What the ledger says of them, and the replay at the asks in force. */
  earnedMicroDollars: z.number(),
  replayedMicroDollars: z.number(),
  /** Runs that were seen. */
  runs: COUNT,
  /** How often each ask was drawn. */
  draws: COUNT,
  asks: z.array(ASK).readonly(),
  /**
   * The best of the asks by the days before each day, scored on that day; beside it today’s ask and the floor on the same
   * days. By the net, or by what was earned where no price of electricity is known. Null: fewer than two days.
   */
  walkForward: z
    .object({
      days: COUNT,
      chosenMicroDollars: z.number(),
      lastAsk: z.number(),
      askNowMicroDollars: z.number(),
      floorMicroDollars: z.number().nullable(),
    })
    .nullable(),
});

/** What other asks would have earned, offer by offer. */
export const BACKTEST = z.object({
  from: INSTANT,
  until: INSTANT,
  offers: z
    .array(
      z.object({
        offer: z.string(),
        slots: COUNT,
        askNow: z.number(),
        floor: z.number().nullable(),
        /** Null: refused. */
        figures: FIGURES.nullable(),
        refused: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
      }),
    )
    .readonly(),
});
