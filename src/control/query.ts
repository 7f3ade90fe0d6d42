import { z } from 'zod';
import type { Call } from '../control-api/route.ts';
import { AgentError } from '../domain/errors.ts';
import type { LocalDay } from '../domain/local-day.ts';

/** A number of a request's query; undefined: not there. Throws CONTROL_INVALID. */
export function numberIn(
  { query }: Pick<Call<unknown>, 'query'>,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value;
  throw new AgentError('CONTROL_INVALID', `${name} has to be a number from ${min} to ${max}`);
}

const DAY_TEXT = z.iso.date();

/** A day of a request's query; undefined: not there. Throws CONTROL_INVALID. */
export function dayIn({ query }: Pick<Call<unknown>, 'query'>, name: string): LocalDay | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (DAY_TEXT.safeParse(text).success) return text;
  throw new AgentError('CONTROL_INVALID', `${name} has to be a day such as 2026-11-27`);
}

const INSTANT_TEXT = z.iso.datetime({ offset: true });

/** An instant of a request's query, in milliseconds; undefined: not there. Throws CONTROL_INVALID. */
export function instantIn({ query }: Pick<Call<unknown>, 'query'>, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (INSTANT_TEXT.safeParse(text).success) return Date.parse(text);
  throw new AgentError('CONTROL_INVALID', `${name} has to be a time such as 2026-11-27T12:00:00Z`);
}
