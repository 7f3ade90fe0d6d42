import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { LiveEvent, Status } from './answers.ts';
import type { Api } from './api.ts';
import type { Formats } from './format.ts';
import type { Live, LiveState } from './live.ts';
import type { Sessions } from './session.ts';

/** What every view can use. */
export type Services = {
  readonly api: Api;
  readonly live: Live;
  readonly sessions: Sessions;
  /** Writes figures in the owner's locale. */
  readonly formats: Formats;
};

export const ServicesContext = createContext<Services | undefined>(undefined);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error('a view stands outside of the page');
  return services;
}

export function useApi(): Api {
  return useServices().api;
}

export function useFormats(): Formats {
  return useServices().formats;
}

/** Whether this session may change something. */
export function useMayControl(): boolean {
  return useServices().sessions.now?.rights.includes('control') ?? false;
}

/** Whether the agent is there to take a command. */
export function useIsAnswering(): boolean {
  return useLive(({ link, status }) => status !== undefined && link !== 'stale');
}

/** A part of what is known of the agent; the component is drawn again when it is another one. */
export function useLive<Part>(partOf: (state: LiveState) => Part): Part {
  const { live } = useServices();
  const [, redraw] = useState<unknown>(undefined);
  const part = partOf(live.state);
  useEffect(() => live.subscribe(() => redraw(partOf(live.state))), [live]);
  return part;
}

/** The status as the agent confirmed it last; undefined: nothing came yet. */
export function useStatus(): Status | undefined {
  return useLive(({ status }) => status);
}

/** The agent's time now, in ISO 8601 and to the second; it stops while the page is not connected. */
export function useNow(): string {
  return useLive(({ ageMs, status }) => later(status?.at, ageMs));
}

function later(at: string | undefined, ms: number): string {
  const then = (at === undefined ? Date.now() : Date.parse(at)) + ms;
  return new Date(Math.floor(then / 1_000) * 1_000).toISOString();
}

/** The latest events, the oldest first. */
export function useEvents(): readonly LiveEvent[] {
  return useLive(({ events }) => events);
}
