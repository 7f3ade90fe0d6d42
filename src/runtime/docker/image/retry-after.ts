/** The longest wait that a registry may ask for. */
const MAX_MS = 24 * 3_600_000;

const UNITS: Readonly<Record<string, number>> = {
  µs: 0.001,
  us: 0.001,
  ms: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
};

const ASKED = /retry[- ]?after:?\s+((?:\d+(?:\.\d+)?\s*[a-zµ]*)+)/i;
const PART = /(\d+(?:\.\d+)?)\s*([a-zµ]*)/gi;

/**
 * The wait that a registry asks for in its error text, in milliseconds; undefined: it names none. GitHub's writes
 * `retry-after: 560.6ms`, others `retry after 30 seconds`. Docker passes on no header, so nothing else can be known.
 */
export function readRetryAfter(message: string): number | undefined {
  const asked = ASKED.exec(message.slice(0, 10_000))?.[1];
  if (asked === undefined) return undefined;
  let ms = 0;
  for (const [, amount = '', unit = ''] of asked.matchAll(PART)) {
    const name = unit.toLowerCase().replace(/(?<=[a-z]{2})s$/, '');
    // A number alone is in seconds, as in the header.
    const factor = unit === '' ? 1_000 : (UNITS[unit.toLowerCase()] ?? UNITS[name]);
    if (factor === undefined) break;
    ms += Number(amount) * factor;
  }
  return ms === 0 ? undefined : Math.min(Math.ceil(ms), MAX_MS);
}
