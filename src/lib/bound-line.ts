import { LIMITS } from '../limits.ts';
import { cut } from './cut.ts';
import { describeError } from './describe-error.ts';

const MAX_TEXT = LIMITS.log.text.max;
const MAX_ITEMS = LIMITS.log.items.max;
const MAX_DEPTH = LIMITS.log.depth.max;
/** A secret that begins before this many characters beyond the cut is still found as a whole. */
const OVERLAP = 10_000;

/** What a line of the log carries. */
export type Line = { readonly fields: Readonly<Record<string, unknown>>; readonly message: string };

/**
 * The line with every text, list and nesting cut to its limit: the last defence against foreign text. `redact` removes
 * secrets before a cut could leave a part of one.
 */
export function boundLine({ fields, message }: Line, redact: (text: string) => string): Line {
  let left = LIMITS.log.line.max;
  const text = (whole: string): string => {
    const max = Math.max(Math.min(MAX_TEXT, left), 0);
    left -= Math.min(whole.length, max);
    return whole.length <= max ? whole : cut(redact(whole.slice(0, max + OVERLAP)), max, whole.length);
  };
  const value = (given: unknown, depth: number): unknown => {
    if (typeof given === 'string') return text(given);
    if (typeof given !== 'object' || given === null) return given;
    if (depth >= MAX_DEPTH) return '…';
    if (given instanceof Error) return value(describeError(given), depth);
    if (Array.isArray(given)) return given.slice(0, MAX_ITEMS).map((item) => value(item, depth + 1));
    return record(given, depth + 1);
  };
  const record = (given: object, depth: number): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(given)
        .slice(0, MAX_ITEMS)
        .map(([key, inner]) => [text(key), value(inner, depth)]),
    );
  return { message: text(message), fields: record(fields, 0) };
}
