import { type Drawn } from '../html.ts';

/** The plots below the cards of the view Now. */
export function Plots(): Drawn {
  return null;
}
