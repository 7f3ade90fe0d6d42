import type { RecentEvent, RecentEvents } from '../agent/events/recent-events.ts';
import { type EncodedItem, encodeItem } from '../control-api/encoded-item.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import { VIEWS } from '../control-api/views.ts';
import { sleep } from '../lib/sleep.ts';
import { LIMITS } from '../limits.ts';
import { gap } from './events-route.ts';
import type { LiveStatus } from './live-status.ts';
import { numberIn } from './query.ts';

/** A reader is woken at least this often. */
const RECHECK_MS = 30_000;

/** Encodes an event once for all readers. */
type EncodeEvent = (event: RecentEvent) => EncodedItem;

/** The status and the events between, in one stream. */
export function liveRoute(live: LiveStatus, recent: RecentEvents): Route {
  const encoded = new WeakMap<RecentEvent, EncodedItem>();
  const encode: EncodeEvent = (event) => {
    const item = encoded.get(event) ?? encodeItem(VIEWS.live, { kind: 'event', event }, event.seq);
    encoded.set(event, item);
    return item;
  };
  return route(ENDPOINTS.live, (call) => {
    const since = numberIn(call, 'since', 0, Number.MAX_SAFE_INTEGER) ?? recent.last;
    return items({ live, recent, encode }, since, call.signal);
  });
}

/** Taken from what is remembered each time, so a reader that is slow costs no memory: it misses statuses and events. */
async function* items(
  parts: { readonly live: LiveStatus; readonly recent: RecentEvents; readonly encode: EncodeEvent },
  since: number,
  signal: AbortSignal,
): AsyncGenerator<EncodedItem, void> {
  const { encode, live, recent } = parts;
  using _watching = live.watch();
  let last = since;
  let shown: EncodedItem | undefined;
  while (!signal.aborted) {
    const [changed, added] = [live.changed.next, recent.added.next];
    const { latest } = live;
    const isNew = latest !== shown;
    const { events, leftOut } = recent.after(last, LIMITS.log.recentEvents.max);
    const [first] = events;
    if (leftOut > 0 && first !== undefined) yield encode(gap(first, leftOut));
    // A reader that resumes after a status must not miss an event before it.
    for (const event of events) {
      if (isNew && latest !== undefined && event.seq > latest.seq) break;
      last = event.seq;
      yield encode(event);
      if (signal.aborted) return;
    }
    if (isNew && latest !== undefined) {
      shown = latest;
      yield latest;
    } else if (events.length === 0) await sleep(RECHECK_MS, signal, changed, added);
  }
}
