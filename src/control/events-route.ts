import type { RecentEvent, RecentEvents } from '../agent/events/recent-events.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import { sleep } from '../lib/sleep.ts';
import { LIMITS } from '../limits.ts';
import { numberIn } from './query.ts';

/** A follower is woken at least this often. */
const RECHECK_MS = 30_000;

/** The agent's latest events, and those to come. */
export function eventsRoute(recent: RecentEvents): Route {
  return route(ENDPOINTS.events, (call) => {
    const since = numberIn(call, 'since', 0, Number.MAX_SAFE_INTEGER) ?? 0;
    const limit = numberIn(call, 'limit', 1, LIMITS.log.recentEvents.max) ?? LIMITS.log.recentEvents.max;
    return events(recent, { since, limit, isFollowed: call.query.get('follow') === '1' }, call.signal);
  });
}

/** Taken from what is remembered each time, so a reader that is slow costs no memory: it misses events, and gets their number. */
async function* events(
  recent: RecentEvents,
  {
    isFollowed,
    limit,
    since,
  }: { readonly since: number; readonly limit: number; readonly isFollowed: boolean },
  signal: AbortSignal,
): AsyncGenerator<RecentEvent, void> {
  let last = since;
  for (let most = limit; !signal.aborted; most = LIMITS.log.recentEvents.max) {
    const woken = recent.added.next;
    const { events: later, leftOut } = recent.after(last, most);
    const [first] = later;
    if (leftOut > 0 && first !== undefined) yield gap(first, leftOut);
    for (const event of later) {
      yield event;
      last = event.seq;
      if (signal.aborted) return;
    }
    if (!isFollowed) return;
    if (later.length === 0) await sleep(RECHECK_MS, signal, woken);
  }
}

/** In place of the events between. */
export function gap({ at, seq }: RecentEvent, events: number): RecentEvent {
  return {
    seq: seq - 1,
    at,
    level: 'warn',
    event: 'events-left-out',
    message: `${events} events are left out here, because they are no longer remembered`,
    fields: { events },
  };
}
