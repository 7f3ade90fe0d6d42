import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { InvalidItem } from '../domain/ports/broker.ts';
import { LIMITS } from '../limits.ts';
import type { FieldLimit, ProjectedItem } from './json-fields.ts';

/**
 * The ids that the agent accepts: uuids and what is safe in a URL, a file name and a container's name. A longer id does not
 * fit a container's name, so its job would be claimed and released forever.
 */
export const ID_SHAPE = new RegExp(`^[A-Za-z0-9][A-Za-z0-9_-]{0,${LIMITS.broker.id.max - 1}}$`);

/** A decimal number as Django REST Framework writes it as text. */
export const DECIMAL_SHAPE = /^\d{1,30}(?:\.\d{1,30})?$/;

/** The id of a resource. */
export const id = (): z.ZodString => z.string().regex(ID_SHAPE, 'Invalid id');

/** US dollars, as a number or decimal text; not negative. */
export const money = () =>
  z.union([z.number().nonnegative(), z.string().regex(DECIMAL_SHAPE).transform(Number)], {
    error: 'Invalid amount of money',
  });

/** A name that is only displayed, cut; anything else becomes `fallback`. */
export const displayText = (fallback: string) => z.string().transform(cutName).catch(fallback);

/** The name of an image in its registry. */
export const registryPath = () => z.string().max(LIMITS.broker.registryPath.max);

/** A name, cut. */
export function cutName(name: string): string {
  const { max } = LIMITS.broker.name;
  // Copied, because a part of a long text keeps all of it.
  return name.length <= max ? name : `${Buffer.from(name.slice(0, max - 1)).toString()}…`;
}

/** JSON may write any character as an escape of six bytes. */
const ESCAPED = 6;

/** The lengths of fields on the wire. */
export const ON_WIRE = {
  /** Ids, numbers and times: shorter than any text that could be one of them. */
  short: { keep: 512, refuse: 512 },
  /** Longer names count as missing. */
  name: { keep: ESCAPED * LIMITS.broker.name.max },
  registryPath: {
    keep: ESCAPED * LIMITS.broker.registryPath.max,
    refuse: ESCAPED * LIMITS.broker.registryPath.max,
  },
} as const satisfies Readonly<Record<string, FieldLimit>>;

/** Parses one resource. Throws BROKER_BAD_ANSWER with `what` and the invalid fields. */
export function readResource<Shape>(schema: z.ZodType<Shape>, json: unknown, what: string): Shape {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw badAnswer(`the broker’s answer is not a valid ${what}: ${describeIssues(parsed.error)}`);
}

/** Parses an item of a list, or says why it is invalid. */
export function readItem<Shape>(
  schema: z.ZodType<Shape>,
  item: ProjectedItem,
): { readonly value: Shape } | { readonly invalid: InvalidItem } {
  if (item.kind === 'refused') return { invalid: refusedItem(item) };
  const parsed = schema.safeParse(item.json);
  if (parsed.success) return { value: parsed.data };
  return { invalid: { uuid: idOf(item.json, 'uuid'), reason: describeIssues(parsed.error) } };
}

/** An item that was refused while it was read. */
export function refusedItem({ reason, uuid }: Extract<ProjectedItem, { kind: 'refused' }>): InvalidItem {
  return { uuid: isId(uuid) ? uuid : undefined, reason };
}

/** The valid id in a field of what should be an object; undefined: none. */
export function idOf(json: unknown, field: string): string | undefined {
  const value = fieldOf(json, field);
  return isId(value) ? value : undefined;
}

/** A field of what should be an object; undefined: missing. */
export function fieldOf(json: unknown, field: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, field) : undefined;
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID_SHAPE.test(value);
}

/** The invalid items of a list, of which the first are remembered and the others counted. */
export class InvalidItems {
  readonly items: InvalidItem[] = [];
  #more = 0;

  get more(): number {
    return this.#more;
  }

  add(item: InvalidItem): void {
    if (this.isFull) this.#more += 1;
    else this.items.push(item);
  }

  /** Whether more are only counted. */
  get isFull(): boolean {
    return this.items.length >= LIMITS.broker.invalidItems.max;
  }
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
