import { z } from 'zod';

/** An instant: ISO 8601 between processes, milliseconds of the wall clock inside of them. */
export const INSTANT = z.codec(z.iso.datetime({ offset: true }), z.number(), {
  decode: (text) => Date.parse(text),
  encode: (at) => new Date(at).toISOString(),
});
