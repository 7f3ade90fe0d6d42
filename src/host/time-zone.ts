import { Zone } from '../domain/schedule/zone.ts';

/** The time zone of this host; undefined: it has none that is known, such as with a TZ that names no zone. */
export function hostTimeZone(): Zone | undefined {
  const name: unknown = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (typeof name !== 'string') return undefined;
  try {
    return new Zone(name);
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}
