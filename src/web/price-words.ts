import type { Prices } from './answers.ts';
import { type Formats, visible } from './format.ts';

/* What the page says about asks. All functions are pure; `now` is the agent’s time in ISO 8601. */

type Offer = Prices['offers'][number];
type Change = Prices['changes'][number];

/** Names and values of what an offer asks. */
export function askFacts(
  offer: Offer,
  now: string,
  formats: Formats,
): readonly (readonly [string, string])[] {
  const { floor, hold, holdWhy, max, min, nextChangeAt, since, start, strategy, why } = offer;
  const { price, time } = formats;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Strategy', strategy],
    ['Begun at', start === offer.ask ? null : price(start)],
    ['Since', since === null ? null : `${time(since, now)}${why === null ? '' : `: ${visible(why)}`}`],
    ['A job costs', floor === null ? null : `${price(Number(floor.toPrecision(2)))} a minute`],
    ['Limits', limits(min, max, formats)],
    ['Stays', hold === null ? null : visible(holdWhy ?? hold)],
    ['Next change', nextChangeAt === null ? null : `from ${time(nextChangeAt, now)} on`],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

function limits(min: number | null, max: number | null, { price }: Formats): string | null {
  if (min === null && max === null) return null;
  if (min === null) return `at most ${price(max ?? 0)}`;
  return max === null ? `at least ${price(min)}` : `${price(min)} to ${price(max)}`;
}

/** `$0.05 → $0.06: a job would cost more than the ask before it`. */
export function changeText({ ask, before, why }: Change, { price }: Formats): string {
  return `${price(before)} → ${price(ask)}: ${visible(why)}`;
}

/** Who has stopped all changes, and since when. */
export function frozenText(
  { at, by, note }: NonNullable<Prices['frozen']>,
  { instant }: Pick<Formats, 'instant'>,
): string {
  return `All changes are stopped since ${instant(at)} by ${visible(by)}${note === null ? '' : `: ${visible(note)}`}`;
}
