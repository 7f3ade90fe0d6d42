import { z } from 'zod';
import { boundLine } from '../../lib/bound-line.ts';
import { Notifier } from '../../lib/notifier.ts';
import { LIMITS } from '../../limits.ts';
import { logEntry } from './event-log.ts';
import type { AgentEvent } from './events.ts';
import type { LogEntry } from './log-entry.ts';

const LINE = z.object({ message: z.string(), fields: z.record(z.string(), z.unknown()) });

/** An event as its line of the log says it. */
export type RecentEvent = {
  /** Rises with every event, also over a restart of the agent. */
  readonly seq: number;
  /** By the wall clock, in milliseconds. */
  readonly at: number;
  readonly level: LogEntry['level'];
  readonly event: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

export type RecentEventsDeps = {
  readonly clock: { now(): number };
  /** Removes secrets from a line of JSON. */
  readonly redact: (line: string) => string;
};

/** The latest events of this agent, bounded in number and size; the oldest go first. */
export class RecentEvents {
  /** Notified with each event. */
  readonly added = new Notifier();
  readonly #deps: RecentEventsDeps;
  readonly #events: { readonly event: RecentEvent; readonly size: number }[] = [];
  #size = 0;
  /** The last number; begins by the clock, so that a client of the agent before this one has seen none of these. */
  #seq: number;
  readonly #began: number;

  constructor(deps: RecentEventsDeps) {
    this.#deps = deps;
    this.#began = Math.floor(deps.clock.now()) * 1_000;
    this.#seq = this.#began;
  }

  readonly observe = (event: AgentEvent): void => {
    const entry = logEntry(event);
    if (entry.level !== 'debug') this.#add(event.kind, entry);
  };

  /** The `seq` of the last event. */
  get last(): number {
    return this.#seq;
  }

  /** The latest of the events after this one, oldest first, and how many between them and it are no longer known. */
  after(seq: number, limit: number): { readonly events: readonly RecentEvent[]; readonly leftOut: number } {
    // A client of an agent whose clock was ahead has seen none of these either.
    const from = seq > this.#seq ? 0 : seq;
    const oldest = this.#events[0]?.event.seq ?? this.#seq + 1;
    const isOurs = from >= this.#began;
    const later = this.#events.filter(({ event }) => event.seq > from).map(({ event }) => event);
    return { events: later.slice(-limit), leftOut: isOurs ? Math.max(oldest - from - 1, 0) : 0 };
  }

  #add(kind: string, { fields, level, message }: LogEntry): void {
    const { clock, redact } = this.#deps;
    this.#seq += 1;
    const text = redact(JSON.stringify(boundLine({ fields, message }, redact)));
    const event = { seq: this.#seq, at: clock.now(), level, event: kind, ...LINE.parse(JSON.parse(text)) };
    this.#events.push({ event, size: text.length });
    this.#size += text.length;
    while (this.#events.length > LIMITS.log.recentEvents.max || this.#size > LIMITS.log.recentEventsSize.max)
      this.#size -= this.#events.shift()?.size ?? 0;
    this.added.notify();
  }
}
