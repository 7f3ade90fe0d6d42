import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { LiveEvent } from '../answers.ts';
import { eventsOf, isEvent, joined } from '../event-list.ts';
import { counted, visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { Badge } from '../parts/badge.ts';
import { Facts } from '../parts/facts.ts';
import { Filters, Search, Select } from '../parts/filters.ts';
import { useHashQuery } from '../parts/hash-query.ts';
import { useSeen } from '../parts/seen.ts';
import { Whole } from '../parts/whole.ts';
import { jobPath } from '../routes.ts';
import { useApi, useEvents, useFormats, useLive } from '../services.ts';

/** How many events are asked for and shown. */
const MOST = 500;
const LEVEL_WORDS = [
  ['info', 'info and worse'],
  ['warn', 'warnings and errors'],
  ['error', 'only errors'],
] as const;

/** What has happened, the newest first, as it happens. */
export function Events(): Drawn {
  const [query, setQuery] = useHashQuery();
  const all = useLatestEvents();
  const [isPaused, setPaused] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const [top, isTopSeen] = useSeen<HTMLDivElement>();
  // What is read must not move: new events wait while somebody has scrolled down or stands in the list.
  const kept = useKept(all, isPaused || hasFocus || !isTopSeen);
  const filter = { text: query['text'] ?? '', level: query['level'] ?? '' };
  const events = useMemo(() => eventsOf(kept.shown, filter), [kept.shown, filter.text, filter.level]);
  const isConnecting = useLive(({ link }) => link === 'connecting');
  return html`<h1 tabindex="-1">Events</h1>
    <${Filters} label="Filter of events">
      <${Search} label="Search" hint="Event, message, id or field" value=${filter.text} onChange=${(value: string) => setQuery('text', value)} />
      <${Select} label="Level" value=${filter.level} options=${LEVEL_WORDS} onChange=${(value: string) => setQuery('level', value)} />
      <button type="button" aria-pressed=${isPaused} onClick=${() => setPaused(!isPaused)}>${isPaused ? 'Go on' : 'Pause the list'}</button>
    </${Filters}>
    <div ref=${top} class="list-top"></div>
    ${
      kept.waiting > 0 &&
      html`<button type="button" class="fresh" onClick=${() => {
        kept.show();
        scrollTo({ top: 0 });
      }}>
        ${counted(kept.waiting, 'new event')}: show
      </button>`
    }
    ${
      events.length === 0 &&
      html`<p class="empty">${all.length > 0 ? 'No event matches.' : isConnecting ? 'Loading …' : 'Nothing has happened since the agent started.'}</p>`
    }
    <ol
      class="rows events"
      aria-label="Events, newest first"
      onFocusIn=${() => setFocus(true)}
      onFocusOut=${() => setFocus(false)}
    >
      ${events.map((event) => html`<${Row} key=${event.seq} event=${event} />`)}
    </ol>`;
}

function Row({ event }: { readonly event: LiveEvent }): Drawn {
  const { instant, time } = useFormats();
  const [isOpen, setOpen] = useState(false);
  return useMemo(() => {
    const { at, event: name, fields, level, message } = event;
    const names = Object.keys(fields);
    return html`<li class=${`row event-row event-${level}`}>
      <details onToggle=${(toggled: Event) => setOpen(toggled.target instanceof HTMLDetailsElement && toggled.target.open)}>
        <summary>
          <time datetime=${at} title=${instant(at)}>${time(at, new Date().toISOString())}</time>
          <${Badge} tone=${LEVEL_TONES[level]} word=${level} />
          <span class="event-message"><${Whole} text=${message} /></span>
          <code class="event-name">${visible(name)}</code>
        </summary>
        ${isOpen && html`<${Facts} facts=${[['at', instant(at)], ...names.map((field) => [visible(field), valueOf(field, fields[field])])]} />`}
      </details>
    </li>`;
  }, [event, isOpen]);
}

const LEVEL_TONES = { debug: 'idle', info: 'idle', warn: 'warn', error: 'bad' } as const;

function valueOf(field: string, value: unknown): Drawn {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (field !== 'job') return html`<${Whole} text=${text} />`;
  return html`<a href=${jobPath(text)}><${Whole} text=${text} /></a>`;
}

/** What the stream has brought, after what there was before. */
function useLatestEvents(): readonly LiveEvent[] {
  const { streamUrl } = useApi();
  const live = useEvents();
  const [older, setOlder] = useState<readonly LiveEvent[]>([]);
  useEffect(() => {
    const got: LiveEvent[] = [];
    const source = new EventSource(streamUrl('/api/events', { limit: MOST }));
    source.addEventListener('message', ({ data }) => {
      const event: unknown = JSON.parse(String(data));
      if (isEvent(event)) got.push(event);
    });
    // The stream ends after what there is; without it there is still what comes from now on.
    source.addEventListener('error', () => {
      source.close();
      setOlder(got);
    });
    return () => source.close();
  }, []);
  return useMemo(() => joined(older, live).slice(-MOST), [older, live]);
}

type Kept = { readonly shown: readonly LiveEvent[]; readonly waiting: number; readonly show: () => void };

/** The list as it was when it began to be held. */
function useKept(all: readonly LiveEvent[], isHeld: boolean): Kept {
  const [, redraw] = useState(0);
  const shown = useRef(all);
  if (!isHeld || shown.current.length === 0) shown.current = all;
  const last = shown.current.at(-1)?.seq ?? -1;
  return {
    shown: shown.current,
    waiting: all.filter(({ seq }) => seq > last).length,
    show: () => {
      shown.current = all;
      redraw((count) => count + 1);
    },
  };
}
