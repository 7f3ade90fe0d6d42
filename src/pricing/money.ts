/**
 * Money in whole millionths of a US dollar, so that sums are exact, whatever their order. 2^53 of them are nine billion
 * dollars.
 */
export type MicroDollars = number;

const MICRO = 1_000_000;

/** The nearest whole number of millionths; a half goes away from zero. This is the only place where money is rounded. */
export function microDollars(dollars: number): MicroDollars {
  // -0 would be shown with its sign.
  return Math.sign(dollars) * Math.round(Math.abs(dollars) * MICRO) + 0;
}

/** For showing: US dollars. */
export function dollars(amount: MicroDollars): number {
  return amount / MICRO;
}
