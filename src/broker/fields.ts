import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { InvalidItem, Listed } from '../domain/ports/broker.ts';

/**
 * What an id of the broker may look like: uuids, and no more than is safe in a path, a file's or container's name. One
 * that is longer than a container's name may take is none here: its job would be claimed and released for ever.
 */
export const ID_SHAPE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Decimals as Django REST Framework writes them where it writes them as text. */
export const DECIMAL_SHAPE = /^\d{1,30}(?:\.\d{1,30})?$/;

/** The id of a resource. */
export const id = (): z.ZodString => z.string().regex(ID_SHAPE, 'Invalid id');

/** The id of what is otherwise no resource, where that can be read. */
const uuidSchema = z
  .object({ uuid: id() })
  .transform(({ uuid }): string | undefined => uuid)
  .catch(undefined);

/** US dollars, as a number or as decimal text; never negative. */
export const money = () =>
  z.union([z.number().nonnegative(), z.string().regex(DECIMAL_SHAPE).transform(Number)], {
    error: 'Invalid amount of money',
  });

/** Text that is only shown to people: what is no text becomes `fallback`. */
export const caption = (fallback: string) => z.string().catch(fallback);

/** Reads one resource. Throws BROKER_BAD_ANSWER that names `what` and the fields at fault. */
export function readResource<Shape>(schema: z.ZodType<Shape>, json: unknown, what: string): Shape {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw badAnswer(`the broker’s answer is no ${what}: ${faults(parsed.error)}`);
}

/** Reads each item by itself; those that are none are told among the invalid. */
export function readItems<Shape>(schema: z.ZodType<Shape>, list: readonly unknown[]): Listed<Shape> {
  const items: Shape[] = [];
  const invalid: InvalidItem[] = [];
  for (const item of list) {
    const parsed = schema.safeParse(item);
    if (parsed.success) items.push(parsed.data);
    else invalid.push({ uuid: uuidSchema.parse(item), reason: faults(parsed.error) });
  }
  return { items, invalid };
}

/** An answer in JSON that cannot be used. */
export function badAnswer(message: string): AgentError {
  return new AgentError('BROKER_BAD_ANSWER', message, {
    hint: 'if it stays so, the broker speaks another version of its API than this agent',
  });
}

/** The fields at fault, and in which way, in one line. */
export function faults(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ message, path }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
