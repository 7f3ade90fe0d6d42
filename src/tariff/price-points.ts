import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { LIMITS } from '../limits.ts';

/** A price of a kWh in the owner's currency, from one instant to another; milliseconds since the epoch. */
export type PublishedPoint = { readonly from: number; readonly until: number; readonly price: number };

const HOUR_MS = 3_600_000;
/** The last price of a list holds no longer, however far it is from the one before it. */
const MAX_LAST_MS = 24 * HOUR_MS;

const INSTANT = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const POINT = z.object({ from: INSTANT, until: INSTANT.optional(), pricePerKWh: z.number() });
const PRICES = z.union([
  z.array(POINT),
  z.object({ prices: z.array(POINT) }).transform(({ prices }) => prices),
]);

/**
 * Reads prices of electricity: `[{"from": "2026-11-27T00:00:00+01:00", "until": ..., "pricePerKWh": 0.31}, ...]`, or an object
 * with them in `prices`. Without `until` a price holds to the next `from`, the last one for as long as the one before it. Negative
 * prices are prices. Throws ELECTRICITY_PRICES_FAILED. Pure.
 */
export function readPrices(text: string): readonly PublishedPoint[] {
  const found = PRICES.safeParse(json(text));
  if (!found.success) throw unreadable(whyOf(found.error));
  const { max } = LIMITS.tariff.points;
  if (found.data.length > max)
    throw unreadable(`there are ${found.data.length} prices, and ${max} are the most`);
  const sorted = found.data.toSorted((a, b) => a.from - b.from);
  const points = sorted.map(({ from, pricePerKWh, until }, index) => ({
    from,
    until: until ?? sorted[index + 1]?.from ?? from + lastMs(from, sorted[index - 1]?.from),
    price: pricePerKWh,
  }));
  const empty = points.find(({ from, until }) => until <= from);
  if (empty !== undefined)
    throw unreadable(`the price from ${new Date(empty.from).toISOString()} ends before it begins`);
  if (points.length === 0) throw unreadable('there is no price in it');
  return points;
}

function lastMs(from: number, before = from - HOUR_MS): number {
  return Math.min(from - before, MAX_LAST_MS);
}

function json(text: string): unknown {
  try {
    // Some programs begin a file with a byte order mark.
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return value;
  } catch {
    throw unreadable('it is not JSON');
  }
}

/** The first thing that is wrong, without what was written. */
function whyOf({ issues: [first] }: z.ZodError): string {
  const nested =
    first?.code === 'invalid_union' ? first.errors.flat().find(({ path }) => path.length > 1) : first;
  const place = nested?.path.join('.') ?? '';
  return place === '' ? 'it is no list of prices' : `${place}: ${nested?.message}`;
}

function unreadable(why: string): AgentError {
  return new AgentError('ELECTRICITY_PRICES_FAILED', `prices of electricity cannot be read: ${why}`, {
    hint: 'answer with [{"from": "2026-11-27T00:00:00+01:00", "pricePerKWh": 0.31}, ...]; see docs/electricity.md',
  });
}
