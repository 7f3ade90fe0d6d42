import type { Connection } from '../domain/connection.ts';

const EVENT = /^\[(\d+)\.(\d{6})\]\s+\[NEW\]\s+(\S+)\s/;
const FIELD = /\b(src|dst|sport|dport)=(\S+)/g;
const PROTOCOL = /^[a-z0-9-]{1,16}$/;
const IPV4 = /^(?:\d{1,3}\.){3}\d{1,3}$/;

/**
 * The connection in a line of `conntrack -E -o timestamp`. Undefined: a line of anything else, or of IPv6. The first
 * addresses are those that the sender used, the second ones those of the answer. Pure.
 */
export function connectionIn(line: string): Connection | undefined {
  const [, seconds, micros, protocol = ''] = EVENT.exec(line) ?? [];
  if (seconds === undefined || micros === undefined || !PROTOCOL.test(protocol)) return undefined;
  const values = new Map<string, string[]>();
  for (const [, name = '', value = ''] of line.matchAll(FIELD))
    values.set(name, [...(values.get(name) ?? []), value]);
  const [address, destination] = ['src', 'dst'].map((name) => values.get(name)?.[0]);
  if (address === undefined || destination === undefined) return undefined;
  if (!IPV4.test(address) || !IPV4.test(destination)) return undefined;
  const port = (name: string, index: number): number | null => {
    const value = values.get(name)?.[index];
    return value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) : null;
  };
  return {
    at: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000),
    protocol,
    address,
    sourcePort: port('sport', 0),
    destination,
    destinationPort: port('dport', 0),
    outerPort: port('dport', 1),
  };
}
