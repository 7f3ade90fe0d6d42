import type { Formats } from './format.ts';
import { HOUR } from './time-units.ts';

/** How long a decision lasts, as the API takes it; nothing: until it is taken back. */
export type Lasting = { readonly forMs?: number; readonly until?: string; readonly untilNext?: true };

/** An end that the owner can choose at once. */
export type LastingChoice = { readonly label: string; readonly lasting: Lasting };

const TONIGHT = 22;
const MORNING = 8;

/** The usual ends; `now` is the agent's time, hours are those of this browser's clock. Pure but for the time zone. */
export function lastingChoices(now: string, { duration, time }: Formats): readonly LastingChoice[] {
  const evening = atHour(now, TONIGHT, 0);
  // Half an hour before it, tonight is over.
  const isOver = Date.parse(evening) - Date.parse(now) < HOUR / 2;
  const end = isOver ? atHour(now, MORNING, 1) : evening;
  return [
    { label: duration(HOUR), lasting: { forMs: HOUR } },
    { label: duration(2 * HOUR), lasting: { forMs: 2 * HOUR } },
    { label: `Until ${isOver ? 'the morning' : 'tonight'}, ${time(end, end)}`, lasting: { until: end } },
    { label: 'Until I resume', lasting: {} },
  ];
}

/** A time that was typed into a field for date and time; undefined: it is none. */
export function typedEnd(text: string): string | undefined {
  const at = new Date(text).getTime();
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

function atHour(now: string, hour: number, days: number): string {
  const at = new Date(now);
  at.setDate(at.getDate() + days);
  at.setHours(hour, 0, 0, 0);
  return at.toISOString();
}
