import { nearest } from '../lib/nearest.ts';
import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** A time zone by its IANA name, such as `Europe/Berlin`. */
export const timeZone: ValueType<string> = single({
  metavar: 'ZONE',
  parse: (text) => {
    const name = resolvedZone(text);
    if (name === undefined)
      throw new BadValue(
        `${quoted(text)} is not a time zone${suggestion(text)}`,
        'write an IANA name, such as Europe/Berlin; timedatectl list-timezones lists them',
      );
    // Some names, such as CET, stand for another one: the owner is shown what the owner wrote.
    return name.toLowerCase() === text.toLowerCase() ? name : text;
  },
});

/** The name that the platform has for a zone; undefined: it knows no such zone. */
function resolvedZone(text: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: text }).resolvedOptions().timeZone;
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

function suggestion(text: string): string {
  const names = Intl.supportedValuesOf('timeZone');
  const city = `/${text.trim().replaceAll(' ', '_').toLowerCase()}`;
  const found = names.find((name) => name.toLowerCase().endsWith(city)) ?? nearest(text, names);
  return found === undefined ? '' : ` (did you mean ${found}?)`;
}
