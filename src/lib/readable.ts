/* Quantities for people: rounded to what a reader needs. JSON carries the exact numbers. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Two units at most: `230ms`, `1.2s`, `12s`, `1m30s`, `2h5m`, `3d4h`. */
export function readableDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)}ms`;
  if (ms < 9.95 * SECOND) return `${(ms / SECOND).toFixed(1)}s`;
  const seconds = Math.round(ms / SECOND) * SECOND;
  if (seconds < MINUTE) return `${seconds / SECOND}s`;
  if (seconds < HOUR) return twoUnits(seconds, MINUTE, 'm', SECOND, 's');
  const minutes = Math.round(ms / MINUTE) * MINUTE;
  if (minutes < DAY) return twoUnits(minutes, HOUR, 'h', MINUTE, 'm');
  return twoUnits(Math.round(ms / HOUR) * HOUR, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = (ms % large) / small;
  return `${Math.floor(ms / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}

/** Earnings in US dollars: `$0.0123`, `-$0.0123`. */
export function readableEarnings(dollars: number): string {
  const text = Math.abs(dollars).toFixed(4);
  // What rounds to 0 has no sign.
  return `${dollars < 0 && Number(text) > 0 ? '-' : ''}$${text}`;
}

/** Energy, which meters and bills count in kilowatt-hours: `0.4 Wh`, `37 Wh`, `1.25 kWh`, `312 kWh`. */
export function readableEnergy(joules: number): string {
  const wattHours = joules / 3_600;
  const [amount, unit] = wattHours < 999.5 ? [wattHours, 'Wh'] : [wattHours / 1_000, 'kWh'];
  return `${amount >= 100 ? Math.round(amount) : Number(amount.toFixed(amount < 10 ? 2 : 1))} ${unit}`;
}

/** A price in US dollars, not rounded above a millionth: `$0.05`, `$1.50`, `$0.000125`. */
export function readablePrice(dollars: number): string {
  return `$${dollars.toFixed(6).replace(/0{1,4}$/, '')}`;
}

/** Decimal units, as Docker and disk makers use them: `850 kB`, `1.2 MB`, `20 GB`, `1.8 TB`. */
export function readableBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const amount = bytes / 1000 ** power;
  return `${amount < 100 ? Number(amount.toFixed(1)) : Math.round(amount)} ${units[power]}`;
}
