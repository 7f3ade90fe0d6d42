import { useMemo, useRef, useState } from 'preact/hooks';
import type { Market as MarketAnswer } from '../answers.ts';
import { counted } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { type Group, groupsOf, isTaken, reasonWords, runsOf, verdictsOf } from '../market-groups.ts';
import { useAnswer } from '../parts/answer.ts';
import { Filters, Search, Select, Toggle } from '../parts/filters.ts';
import { useHashQuery } from '../parts/hash-query.ts';
import { Foreign } from '../parts/text.ts';
import { Trouble } from '../parts/trouble.ts';
import { useApi, useFormats, useStatus } from '../services.ts';
import { offerName } from '../target-words.ts';
import { MINUTE } from '../time-units.ts';
import { Backtest } from './backtest.ts';

const EVERY_MS = 15_000;
/** Reasons that are shown at once. */
const FEW = 3;
const OLD_MS = 2 * MINUTE;
type Run = MarketAnswer['runs'][number];

/** Every open run, and why it is not taken. */
export function Market(): Drawn {
  const api = useApi();
  const [query, setQuery] = useHashQuery();
  const [isKept, setKept] = useState(true);
  const answer = useAnswer(() => api.market(), [], isKept ? EVERY_MS : 0);
  const market = answer.value;
  const filter = {
    text: query['text'] ?? '',
    reason: query['reason'] ?? '',
    onlyTaken: query['taken'] === '1',
  };
  const groups = useMemo(() => (market ? groupsOf(market) : []), [market]);
  const runs = useMemo(
    () => (market ? runsOf(market, filter) : []),
    [market, filter.text, filter.reason, filter.onlyTaken],
  );
  return html`<div class="view-head">
      <h1 tabindex="-1">Market</h1>
      ${market && html`<${Age} at=${market.at} />`}
      <${Toggle} label="Keep up to date" isOn=${isKept} onChange=${setKept} />
    </div>
    <${Trouble} answer=${answer} />
    ${market === undefined && answer.problem === undefined && html`<p class="waiting">Loading …</p>`}
    ${
      market !== undefined &&
      html`<${Groups}
          groups=${groups}
          chosen=${filter.reason}
          onChoose=${(reason: string) => setQuery('reason', reason === filter.reason ? '' : reason)}
        />
        <${Filters} label="Filter of runs">
          <${Search} label="Search" hint="Function, image or id" value=${filter.text} onChange=${(value: string) => setQuery('text', value)} />
          <${Select}
            label="Not taken because"
            isWide=${true}
            all="any reason"
            value=${filter.reason}
            options=${groups.map(({ reason }) => [reason, reasonWords(reason)])}
            onChange=${(value: string) => setQuery('reason', value)}
          />
          <${Toggle} label="Only what would be taken" isOn=${filter.onlyTaken} onChange=${(isOn: boolean) => setQuery('taken', isOn ? '1' : '')} />
        </${Filters}>
        <p class="small muted" role="status">
          ${counted(runs.length, 'run')}${market.leftOut > 0 && `; ${market.leftOut} more with lower bids are not listed`}
        </p>
        <ul class="rows" aria-label="Open runs, the best bids first">
          ${runs.map((run) => html`<${Row} key=${run.run} run=${run} />`)}
        </ul>
        ${runs.length === 0 && html`<p class="empty">${market.runs.length === 0 ? 'The market is empty: nobody asks for jobs now.' : 'No run matches.'}</p>`}`
    }
    <${Backtest} />`;
}

/** How old what is shown is, by the clock of the host. */
function Age({ at }: { readonly at: string | null }): Drawn {
  const { duration } = useFormats();
  const now = useStatus()?.at;
  if (at === null) return html`<p class="small muted">The broker has not answered yet.</p>`;
  const ms = now === undefined ? 0 : Math.max(Date.parse(now) - Date.parse(at), 0);
  return html`<p class=${ms > OLD_MS ? 'small market-old' : 'small muted'}>Seen <span class="figure">${duration(ms)}</span> ago</p>`;
}

/** Why runs are not taken, by how many: a bar for each reason, which filters the list. */
function Groups({
  chosen,
  groups,
  onChoose,
}: {
  readonly groups: readonly Group[];
  readonly chosen: string;
  readonly onChoose: (reason: string) => void;
}): Drawn {
  const [isWhole, setWhole] = useState(false);
  const most = groups[0]?.most ?? 0;
  const shown = groups.filter(({ reason }, index) => isWhole || index < FEW || reason === chosen);
  if (groups.length === 0) return null;
  return html`<section class="card" aria-labelledby="groups-title">
    <h2 id="groups-title">Why runs are not taken</h2>
    <ul class="groups">
      ${shown.map(
        ({ most: count, reason, runs }) => html`<li key=${reason}>
          <button type="button" class="quiet group" aria-pressed=${reason === chosen} onClick=${() => onChoose(reason)}>
            <span>${reasonWords(reason)}</span>
            <b>${runs.size === 1 ? count : ''}</b>
            <meter class="group-bar" min="0" max=${most} value=${count} aria-hidden="true"></meter>
            ${
              runs.size > 1 &&
              html`<span class="group-offers">
                ${[...runs].map(([offer, number]) => html`<span key=${offer}><${Foreign} text=${offerName(offer)} /> <b>${number}</b></span>`)}
              </span>`
            }
          </button>
        </li>`,
      )}
    </ul>
    ${
      groups.length > FEW &&
      html`<button type="button" class="quiet" aria-expanded=${isWhole} onClick=${() => setWhole(!isWhole)}>
        ${isWhole ? 'Fewer reasons' : `All ${groups.length} reasons`}
      </button>`
    }
  </section>`;
}

function Row({ run }: { readonly run: Run }): Drawn {
  const { duration, instant, price } = useFormats();
  // Its age changes only with something else: it is no clock.
  const key = JSON.stringify(run);
  const latest = useRef(run);
  latest.current = run;
  return useMemo(() => {
    const { bid, createdAt, function: name, image, openJobs, run: id } = latest.current;
    return html`<li class="row run-row">
      <span class="run-bid"><b>${price(bid)}</b> <span class="small muted">per minute</span></span>
      <span class="run-name">${name === null ? html`<span class="muted">run ${id.slice(0, 8)}</span>` : html`<${Foreign} text=${name} />`}</span>
      <span class="run-image">${image === null ? html`<span class="muted">not looked up yet</span>` : html`<${Foreign} text=${image} />`}</span>
      <span class="run-jobs">${openJobs === null ? '' : counted(openJobs, 'open job')}</span>
      <span class="run-age">
        ${createdAt !== null && html`<time datetime=${createdAt} title=${instant(createdAt)}>${duration(Date.now() - Date.parse(createdAt))} old</time>`}
      </span>
      <ul class=${isTaken(latest.current) ? 'run-verdicts run-taken' : 'run-verdicts'}>
        ${verdictsOf(latest.current).map(
          ({ isTaken, offers, words }) => html`<li key=${words} class=${isTaken ? 'verdict-taken' : ''}>
            ${offers.length > 0 && html`<${Foreign} text=${offers.map(offerName).join(', ')} />${': '}`}${words}
          </li>`,
        )}
      </ul>
    </li>`;
  }, [key]);
}
