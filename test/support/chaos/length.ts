import { randomInt } from 'node:crypto';

/** Whether the long form is wanted: `npm run chaos`. Otherwise all is short enough for every `npm test`. */
export const LONG = process.env['CHAOS'] === 'long';

/** What all that is random here comes from; `CHAOS_SEED` repeats an earlier one. */
export const SEED = wholeNumber('CHAOS_SEED') ?? randomInt(2 ** 31);

/** How much of something there is to be: by the variable of that name, else as the form wants it. */
export function amount(variable: string, short: number, long: number): number {
  return wholeNumber(variable) ?? (LONG ? long : short);
}

/** Throws where the variable is set to anything but a whole number from 0. */
function wholeNumber(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${variable} is to be a whole number, not ‘${text}’`);
  return Number(text);
}
