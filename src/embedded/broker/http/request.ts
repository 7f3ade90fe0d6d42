import { z } from 'zod';
import { Refusal } from '../store/refusal.ts';

// Fields of requests with the messages of Django REST Framework. In a form every value is text, and an empty one is null.

/** A route whose path has the uuid of a resource. */
export type ByUuid = { Params: { uuid: string } };

const REQUIRED = 'This field is required.';

type Message = { readonly error: (issue: { readonly input?: unknown }) => string };

function says(message: string): Message {
  return {
    error: ({ input }) => {
      if (input === undefined) return REQUIRED;
      return input === null ? 'This field may not be null.' : message;
    },
  };
}

/** Text that may be empty: code, logs, results. */
export const anyText = (): z.ZodString => z.string(says('Not a valid string.'));

/** Text that may not be empty. */
export const text = (): z.ZodString => anyText().min(1, 'This field may not be blank.');

const NUMBER_TEXT = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** A finite number, or text that is one. */
export const number = () =>
  z.union([z.number(), z.string().regex(NUMBER_TEXT).transform(Number).pipe(z.number())], {
    ...says('A valid number is required.'),
  });

/** US dollars per job and minute, above 0. */
export const price = () => number().refine((value) => value > 0, 'Ensure this value is greater than 0.');

/** An integer of at least 1. */
export const count = () =>
  number()
    .refine(Number.isSafeInteger, 'A valid integer is required.')
    .refine((value) => value >= 1, 'Ensure this value is greater than or equal to 1.');

/** One of some numbers. */
export const choice = <const Choice extends number>(...choices: readonly Choice[]) =>
  number().transform((value, context): Choice => {
    const chosen = choices.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    context.issues.push({ code: 'custom', message: `"${value}" is not a valid choice.`, input: value });
    return z.NEVER;
  });

/** The uuid of another resource, or null. */
export const reference = () =>
  z
    .string(says('Not a valid string.'))
    .nullish()
    .transform((value) => (value === undefined || value === '' ? null : value));

/** Parses a body or query and ignores unknown fields. Throws an invalid Refusal with the messages per field. */
export function readBody<Shape>(schema: z.ZodType<Shape>, body: unknown): Shape {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const messages: Record<string, string[]> = {};
  for (const issue of parsed.error.issues) {
    const field = issue.path.length === 0 ? 'non_field_errors' : String(issue.path[0]);
    (messages[field] ??= []).push(
      field === 'non_field_errors' ? 'Invalid data. Expected a dictionary.' : issue.message,
    );
  }
  throw new Refusal('invalid', messages);
}
