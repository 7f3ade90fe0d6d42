import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JobRow } from '../answers.ts';
import { counted } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { hasEnded, JOB_OUTCOMES, JOB_STATES, payOf, stateWords, whyUnpaid } from '../job-words.ts';
import { Badge } from '../parts/badge.ts';
import { Filters, Search, Select } from '../parts/filters.ts';
import { gpuName, useGpuNames } from '../parts/gpu-names.ts';
import { useHashQuery } from '../parts/hash-query.ts';
import { useSeen } from '../parts/seen.ts';
import { Foreign } from '../parts/text.ts';
import { Trouble } from '../parts/trouble.ts';
import { useJobs } from '../parts/use-jobs.ts';
import { jobPath } from '../routes.ts';
import { useFormats } from '../services.ts';

/** All jobs, newest first. */
export function Jobs(): Drawn {
  const [query, setQuery] = useHashQuery();
  const filter = pick(query);
  const [top, isTopSeen] = useSeen<HTMLDivElement>();
  const [hasFocus, setFocus] = useState(false);
  const jobs = useJobs(filter, !isTopSeen || hasFocus);
  const names = useGpuNames();
  const { fresh = [], hasHole, next, rows = [] } = jobs.list ?? {};
  const isFiltered = Object.keys(filter).length > 0;
  return html`<h1 tabindex="-1">Jobs</h1>
    <${Filters} label="Filter of jobs">
      <${Search} label="Search" hint="Function, image or id" value=${filter.text ?? ''} onChange=${(value: string) => setQuery('text', value)} />
      <${Select} label="State" value=${filter.state ?? ''} options=${JOB_STATES.map((state) => [state, state])} onChange=${(value: string) => setQuery('state', value)} />
      <${Select} label="Outcome" value=${filter.outcome ?? ''} options=${JOB_OUTCOMES} onChange=${(value: string) => setQuery('outcome', value)} />
      <${Select} label="GPU" value=${filter.gpu ?? ''} options=${[...names]} onChange=${(value: string) => setQuery('gpu', value)} />
    </${Filters}>
    <${Trouble} answer=${{ problem: jobs.problem, ask: jobs.again }} />
    <div ref=${top} class="list-top"></div>
    ${
      fresh.length > 0 &&
      html`<button type="button" class="fresh" onClick=${() => {
        jobs.showFresh();
        scrollTo({ top: 0 });
      }}>
        ${hasHole ? 'Many new jobs' : counted(fresh.length, 'new job')}: show
      </button>`
    }
    ${jobs.list === undefined && jobs.problem === undefined && html`<p class="waiting">Loading …</p>`}
    ${
      jobs.list !== undefined &&
      rows.length === 0 &&
      next === null &&
      html`<p class="empty">${isFiltered ? 'No job matches.' : 'No jobs yet. They appear here once the agent has claimed some.'}</p>`
    }
    <ul
      class="rows"
      aria-label="Jobs, newest first"
      onFocusIn=${() => setFocus(true)}
      onFocusOut=${() => setFocus(false)}
    >
      ${rows.map((row) => html`<${Row} key=${row.job} row=${row} gpu=${gpuName(names, row.gpu)} />`)}
    </ul>
    ${next != null && html`<${More} isLoading=${jobs.isLoading} more=${jobs.more} />`}
    ${next === null && rows.length > 0 && html`<p class="note">${counted(rows.length, 'job')}; there are no others.</p>`}`;
}

/** Loads more once it comes near, or by hand. */
function More({ isLoading, more }: { readonly isLoading: boolean; readonly more: () => void }): Drawn {
  const [ref, isSeen] = useSeen<HTMLButtonElement>('800px');
  useEffect(() => {
    if (isSeen && !isLoading) more();
  }, [isSeen, isLoading]);
  return html`<button type="button" class="more" ref=${ref} onClick=${more}>
    ${isLoading ? 'Loading …' : 'Load more'}
  </button>`;
}

/** It is drawn again only where the job has changed: there can be thousands. */
function Row({ gpu, row }: { readonly row: JobRow; readonly gpu: string }): Drawn {
  const { duration, instant, time } = useFormats();
  return useMemo(() => {
    const { tone, words } = stateWords(row);
    return html`<li class="row job-row">
      <a class="row-link" href=${jobPath(row.job)}><${Foreign} text=${row.function} /></a>
      <span class="job-pay"><${Pay} row=${row} /></span>
      <span class="job-line">
      <span><${Badge} tone=${tone} word=${words} /></span>
      <span class="job-gpu"><${Foreign} text=${gpu} /></span>
      <time datetime=${row.claimedAt} title=${instant(row.claimedAt)}>${time(row.claimedAt, new Date().toISOString())}</time>
      <span>${hasEnded(row) || row.durationMs !== null ? duration(row.durationMs) : ''}</span>
      </span>
      <span class="job-more"><${Foreign} text=${whyUnpaid(row) ?? row.image} /></span>
    </li>`;
  }, [row, gpu]);
}

/** What a job has earned, or why it has not. */
export function Pay({ row }: { readonly row: JobRow }): Drawn {
  const { money } = useFormats();
  const pay = payOf(row);
  if (pay === 'paid') return html`<b>${money(row.earned ?? 0)}</b>`;
  return { pending: 'pending', unpaid: 'not paid', open: '' }[pay];
}

function pick(query: Readonly<Record<string, string>>) {
  const { gpu, outcome, state, text } = query;
  return { ...(state && { state }), ...(outcome && { outcome }), ...(gpu && { gpu }), ...(text && { text }) };
}
