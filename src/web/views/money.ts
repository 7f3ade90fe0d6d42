import { useMemo } from 'preact/hooks';
import type { Earnings, EarningsBy } from '../answers.ts';
import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { amount, earningsCells, energyText, moneyNotes, netText, SUMMED_BY } from '../money-words.ts';
import { useAnswer } from '../parts/answer.ts';
import { Asks } from '../parts/asks.ts';
import { useHashQuery } from '../parts/hash-query.ts';
import { Images } from '../parts/images.ts';
import { Segments } from '../parts/segments.ts';
import { DataTable } from '../parts/table.ts';
import { Trouble } from '../parts/trouble.ts';
import { useApi, useFormats } from '../services.ts';
import { MINUTE } from '../time-units.ts';

const SPANS = [
  ['1', 'today'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['365', '1 year'],
] as const;
const FIRST_SPAN = '30';

/** What the jobs have earned, what they cost, and what is left. */
export function Money(): Drawn {
  const [query, setQuery] = useHashQuery();
  const days = SPANS.find(([name]) => name === query['days'])?.[0] ?? FIRST_SPAN;
  const by = isBy(query['by']) ? query['by'] : 'day';
  const api = useApi();
  const earnings = useAnswer(() => api.earnings(Number(days), by), [days, by], MINUTE);
  const { value } = earnings;
  return html`<div class="view-head"><h1 tabindex="-1">Money</h1></div>
    <div class="money-choice">
      <${Segments} legend="Time" options=${SPANS} value=${days} onChange=${(name: string) => setQuery('days', name)} />
      <${Segments} legend="Summed by" options=${Object.entries(SUMMED_BY)} value=${by} onChange=${(name: string) => setQuery('by', name)} />
    </div>
    <${Trouble} answer=${earnings} />
    ${value === undefined && earnings.problem === undefined && html`<p class="waiting">Loading …</p>`}
    ${value !== undefined && html`<${Sums} earnings=${value} /><${Rows} earnings=${value} />`}
    <${Asks} />
    <${Images} />`;
}

function Sums({ earnings }: { readonly earnings: Earnings }): Drawn {
  const formats = useFormats();
  const { total } = earnings;
  const figures = [
    ['Earned', amount(total.confirmedMicroDollars, formats), 'Confirmed by the broker'],
    ['Pending', amount(total.pendingMicroDollars, formats), 'Reports that the broker has not confirmed yet'],
    ['Power', amount(total.powerCostMicroDollars, formats), 'What jobs took above idle GPUs, at the wall'],
    ['Net', netText(total, formats), 'Earned less power'],
    ['Energy', energyText(total, formats), 'What the GPUs of jobs took by their sensors'],
    ['Jobs paid', formats.count(total.jobs), ''],
  ] as const;
  return html`<dl class="card sums">
    ${figures.map(
      ([name, value, title]) =>
        html`<div key=${name} title=${title === '' ? undefined : title}><dt>${name}</dt><dd class="figure">${value}</dd></div>`,
    )}
  </dl>`;
}

function Rows({ earnings }: { readonly earnings: Earnings }): Drawn {
  const formats = useFormats();
  const { columns, rows } = useMemo(() => earningsCells(earnings, formats), [earnings, formats]);
  return html`${
    rows.length === 0
      ? html`<p class="empty">Nothing was earned in this time.</p>`
      : html`<${DataTable} caption=${`Earnings by ${earnings.by}`} columns=${columns} rows=${rows} />`
  }
    ${moneyNotes(earnings, formats).map((note) => html`<p class="note" key=${note}>${note}</p>`)}
    <p class="note">Days are the host’s, of ${visible(earnings.timeZone)}.</p>`;
}

function isBy(text: string | undefined): text is EarningsBy {
  return text !== undefined && Object.hasOwn(SUMMED_BY, text);
}
