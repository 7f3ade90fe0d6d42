/** A figure from outside, if it is a measurement: a finite number that is not negative. Anything else is a failure. */
export function measurement(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The same of decimal digits alone, with white space around them; `Number` takes an empty text for 0. */
export function measurementIn(text: string): number | undefined {
  const digits = text.trim();
  return /^\d{1,300}$/.test(digits) ? measurement(Number(digits)) : undefined;
}
