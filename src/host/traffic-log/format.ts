import type { Connection } from '../../domain/connection.ts';

const NAME = /^connections-(\d{4}-\d{2}-\d{2})-(\d{4})\.log$/;
const ABSENT = '-';

/** A file of the log: all connections of one day in UTC, or a part of them, in their order. */
export type Segment = { readonly name: string; readonly day: string; readonly part: number };

/** The segment whose file has this name; undefined: it is none. */
export function segmentOf(name: string): Segment | undefined {
  const [, day, part] = NAME.exec(name) ?? [];
  return day === undefined || part === undefined ? undefined : { name, day, part: Number(part) };
}

export function segmentName(day: string, part: number): string {
  return `connections-${day}-${String(part).padStart(4, '0')}.log`;
}

/** The day in UTC of a time in milliseconds: `2026-11-26`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** A connection as one line, for grep too: time, protocol, address, its port, destination, its port, outer port. */
export function lineOf(connection: Connection): string {
  const { address, at, destination, destinationPort, outerPort, protocol, sourcePort } = connection;
  const fields = [protocol, address, sourcePort, destination, destinationPort, outerPort];
  return `${[new Date(at).toISOString(), ...fields.map((field) => field ?? ABSENT)].join(' ')}\n`;
}

/** The connection of a line; undefined: the line is cut, as after a crash. */
export function connectionOf(line: string): Connection | undefined {
  const [time = '', protocol, address, sourcePort, destination, destinationPort, outerPort, ...more] =
    line.split(' ');
  const at = Date.parse(time);
  if (protocol === undefined || address === undefined || destination === undefined) return undefined;
  const ports = [sourcePort, destinationPort, outerPort].map(portOf);
  const [source, target, outer] = ports;
  if (source === undefined || target === undefined || outer === undefined) return undefined;
  if (!Number.isFinite(at) || more.length > 0) return undefined;
  return {
    at,
    protocol,
    address,
    sourcePort: source,
    destination,
    destinationPort: target,
    outerPort: outer,
  };
}

function portOf(text: string | undefined): number | null | undefined {
  if (text === ABSENT) return null;
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}
