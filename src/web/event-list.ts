import type { LiveEvent } from './answers.ts';

/** Levels, the least first. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Which events are listed. */
export type EventFilter = { readonly text: string; readonly level: string };

/** The events that a filter lets through, the newest first: those of its level or a worse one, with its text anywhere. Pure. */
export function eventsOf(events: readonly LiveEvent[], { level, text }: EventFilter): readonly LiveEvent[] {
  const least = LEVELS.findIndex((one) => one === level);
  const wanted = text.toLowerCase();
  return events
    .filter(
      (event) => LEVELS.indexOf(event.level) >= least && (wanted === '' || textOf(event).includes(wanted)),
    )
    .toReversed();
}

/** Two lists of events as one, the oldest first, each once. Pure. */
export function joined(older: readonly LiveEvent[], newer: readonly LiveEvent[]): readonly LiveEvent[] {
  const bySeq = new Map([...older, ...newer].map((event) => [event.seq, event]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

function textOf({ event, fields, message }: LiveEvent): string {
  return `${event} ${message} ${JSON.stringify(fields)}`.toLowerCase();
}

/** Whether a line of the stream is an event. Pure. */
export function isEvent(value: unknown): value is LiveEvent {
  return typeof value === 'object' && value !== null && 'seq' in value && 'message' in value;
}
