/** Formats milliseconds since the epoch as the broker's `DD-MM-YYYY HH:MM:SS` in UTC; null stays null. */
export function brokerTime(ms: number): string;
export function brokerTime(ms: number | null): string | null;
export function brokerTime(ms: number | null): string | null {
  if (ms === null) return null;
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}-${month}-${year} ${time.slice(0, 8)}`;
}
