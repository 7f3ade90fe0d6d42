import type { Call } from '../control-api/route.ts';
import { AgentError } from '../domain/errors.ts';

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
