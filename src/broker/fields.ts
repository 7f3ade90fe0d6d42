import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { InvalidItem, Listed } from '../domain/ports/broker.ts';

/**
 * The ids that the agent accepts: uuids and what is safe in a URL, a file name and a container's name. A longer id does not
 * fit a container's name, so its job would be claimed and released forever.
 */
export const ID_SHAPE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** A decimal number as Django REST Framework writes it as text. */
export const DECIMAL_SHAPE = /^\d{1,30}(?:\.\d{1,30})?$/;

/** The id of a resource. */
export const id = (): z.ZodString => z.string().regex(ID_SHAPE, 'Invalid id');

/** The id of an item that is otherwise invalid; undefined: not readable. */
const uuidSchema = z
  .object({ uuid: id() })
  .transform(({ uuid }): string | undefined => uuid)
  .catch(undefined);

/** US dollars, as a number or decimal text; not negative. */
export const money = () =>
  z.union([z.number().nonnegative(), z.string().regex(DECIMAL_SHAPE).transform(Number)], {
    error: 'Invalid amount of money',
  });

/** Text that is only displayed; anything else becomes `fallback`. */
export const displayText = (fallback: string) => z.string().catch(fallback);

/** Parses one resource. Throws BROKER_BAD_ANSWER with `what` and the invalid fields. */
export function readResource<Shape>(schema: z.ZodType<Shape>, json: unknown, what: string): Shape {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw badAnswer(`the broker’s answer is not a valid ${what}: ${describeIssues(parsed.error)}`);
}

/** Parses each item of a list by itself. */
export function readItems<Shape>(schema: z.ZodType<Shape>, list: readonly unknown[]): Listed<Shape> {
  const items: Shape[] = [];
  const invalid: InvalidItem[] = [];
  for (const item of list) {
    const parsed = schema.safeParse(item);
    if (parsed.success) items.push(parsed.data);
    else invalid.push({ uuid: uuidSchema.parse(item), reason: describeIssues(parsed.error) });
  }
  return { items, invalid };
}

/** The error for JSON that the agent cannot use. */
export function badAnswer(message: string): AgentError {
  return new AgentError('BROKER_BAD_ANSWER', message, {
    hint: 'update the agent, or report the message to the broker’s operator',
  });
}

/** The invalid fields and why, on one line. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ message, path }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
