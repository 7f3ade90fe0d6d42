import { z } from 'zod';
import { INSTANT } from './instant.ts';

const TEXT = z.string().nullable();
const FIGURE = z.number().nullable();
/** Figures of a strategy by name, units in the names. */
const TERMS = z.record(z.string(), z.number());

const FREEZE = z.object({ at: INSTANT, by: z.string(), note: TEXT });

/** A change of an ask. Prices are US dollars per job and minute. */
const CHANGE = z.object({
  at: INSTANT,
  offer: z.string(),
  before: z.number(),
  ask: z.number(),
  strategy: z.string(),
  /** A name such as `floor-rose`; `why` is its text. */
  reason: z.string(),
  why: z.string(),
  /** The limit that moved the ask: `floor`, `min` or `max`. */
  limitedBy: TEXT,
  terms: TERMS,
});

/** What an offer asks. Prices are US dollars per job and minute; what is not known is null. */
const OFFER = z.object({
  offer: z.string(),
  ask: z.number(),
  strategy: z.string(),
  /** What the owner configured. */
  start: z.number(),
  min: FIGURE,
  max: FIGURE,
  floor: FIGURE,
  /** When and why the ask was changed last; null: as long as is remembered, it was not. */
  since: INSTANT.nullable(),
  reason: TEXT,
  why: TEXT,
  /** Why the ask stays as it is, such as `frozen`, and its text; null: it may change. */
  hold: TEXT,
  holdWhy: TEXT,
  /** When the strategy may change the ask; null: not as long as it is held, and never where it is fixed. */
  nextChangeAt: INSTANT.nullable(),
  /** The figures of the strategy's last answer. */
  terms: TERMS,
});

/** What views and commands about asks answer. */
export const PRICE_VIEWS = {
  prices: z.object({
    /** The owner has stopped all changes; null: they have not. */
    frozen: FREEZE.nullable(),
    offers: z.array(OFFER).readonly(),
    /** The latest, newest first. */
    changes: z.array(CHANGE).readonly(),
  }),
  switched: z.object({ changed: z.boolean(), frozen: FREEZE.nullable() }),
} as const;

/** The bodies of requests about asks. */
export const PRICE_REQUESTS = {
  freeze: z.strictObject({ note: z.string().max(500).optional() }),
  unfreeze: z.strictObject({}),
} as const;
