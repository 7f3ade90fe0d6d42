import { BadValue, quoted, single, type ValueType } from '../../config/value-type.ts';

/** A time that somebody wrote, and the zone that it was read in. */
export type Instant = {
  /** In milliseconds since the epoch. */
  readonly ms: number;
  /** `UTC` or `+02:00`. */
  readonly zone: string;
  /** Whether no zone was written, so that UTC is assumed. */
  readonly assumed: boolean;
};

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;
const HINT =
  'write an ISO 8601 time with its zone, such as 2026-11-26T14:03:00Z or "2026-11-26 16:03 +02:00"';

/** A time by ISO 8601; letters about abuse mostly name UTC, so that is assumed where no zone is written. */
export const instant: ValueType<Instant> = single({
  metavar: 'TIME',
  parse: (text) => {
    const [, year, month, day, hour, minute, second = '00', fraction = '0', zone] = ISO.exec(text) ?? [];
    if (text === '') throw new BadValue('is missing', HINT);
    if (year === undefined) throw new BadValue(`${quoted(text)} is not a time`, HINT);
    const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
    const utc = Date.parse(`${local}Z`);
    // Date.parse takes February 30 for March 2.
    if (!Number.isFinite(utc) || !new Date(utc).toISOString().startsWith(local))
      throw new BadValue(`${quoted(text)} is not a time of the calendar`, HINT);
    const minutes = offsetMinutes(zone);
    if (Math.abs(minutes) > 14 * 60) throw new BadValue(`${quoted(text)} has no possible zone`, HINT);
    const ms = utc + Math.floor(Number(`0.${fraction}`) * 1000) - minutes * 60_000;
    return { ms, zone: nameOf(minutes), assumed: zone === undefined };
  },
  show: ({ ms }) => new Date(ms).toISOString(),
});

function offsetMinutes(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
}

function nameOf(minutes: number): string {
  if (minutes === 0) return 'UTC';
  const two = (part: number): string => String(Math.floor(Math.abs(part))).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
