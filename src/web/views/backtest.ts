import { useState } from 'preact/hooks';
import type { Backtest as BacktestAnswer } from '../answers.ts';
import { type ApiError, asApiError } from '../api-error.ts';
import { BACKTEST_COLUMNS, type BacktestRow, backtestRows } from '../backtest-rows.ts';
import { counted } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { Failure } from '../parts/failure.ts';
import { fieldValue } from '../parts/field-value.ts';
import { DataTable } from '../parts/table.ts';
import { Foreign } from '../parts/text.ts';
import { useApi, useFormats } from '../services.ts';

type Offer = BacktestAnswer['offers'][number];

/** What other asks would have earned; computed when it is asked for, because that takes the host some seconds. */
export function Backtest(): Drawn {
  const api = useApi();
  const [asks, setAsks] = useState('');
  const [days, setDays] = useState('7');
  const [isBusy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<BacktestAnswer | undefined>(undefined);
  const [problem, setProblem] = useState<ApiError | undefined>(undefined);
  const replay = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      setAnswer(await api.backtest(asks.replaceAll(' ', ''), Number(days)));
      setProblem(undefined);
    } catch (thrown) {
      setProblem(asApiError(thrown));
    }
    setBusy(false);
  };
  return html`<section class="card backtest" aria-labelledby="backtest-title">
    <h2 id="backtest-title">What other asks would have earned</h2>
    <form class="backtest-form" onSubmit=${replay}>
      <label class="filter">
        <span class="filter-label">Asks in dollars per minute</span>
        <input
          type="text"
          maxlength="200"
          autocomplete="off"
          placeholder="some around the ask now"
          value=${asks}
          onInput=${(event: Event) => setAsks(fieldValue(event))}
        />
      </label>
      <label class="filter">
        <span class="filter-label">Days</span>
        <input type="number" min="1" max="366" required value=${days} onInput=${(event: Event) => setDays(fieldValue(event))} />
      </label>
      <button type="submit" disabled=${isBusy}>${isBusy ? 'Replaying …' : 'Replay'}</button>
    </form>
    <div role="status">
      ${problem && html`<${Failure} error=${problem} />`}
      ${problem === undefined && answer?.offers.map((offer) => html`<${OfferBacktest} key=${offer.offer} offer=${offer} />`)}
    </div>
  </section>`;
}

function OfferBacktest({ offer: { askNow, figures, offer, refused } }: { readonly offer: Offer }): Drawn {
  const formats = useFormats();
  const { money, percent, price } = formats;
  if (refused !== null) return html`<h3><${Foreign} text=${offer} /></h3><${Failure} error=${refused} />`;
  if (figures === null) return null;
  const rows = backtestRows(figures, formats);
  const walk = figures.walkForward;
  const dollars = (microDollars: number): string => money(microDollars / 1_000_000);
  return html`<h3><${Foreign} text=${offer} /></h3>
    <p class="small muted">
      Earned ${dollars(figures.earnedMicroDollars)} with ${counted(figures.ownJobs, 'job')}; the replay at the asks in force says
      ${dollars(figures.replayedMicroDollars)}. Coverage ${percent(figures.coverage * 100)}.
    </p>
    <ul class="backtest-plot" aria-hidden="true">
      ${rows.map((row) => html`<${RangeBar} key=${row.ask} row=${row} />`)}
    </ul>
    <${DataTable} caption="What each ask would have earned" columns=${BACKTEST_COLUMNS} rows=${rows.map(({ cells }) => cells)} />
    ${
      walk !== null &&
      html`<p class="note">
        Chosen on past days and scored on the next, the best of these asks has brought ${dollars(walk.chosenMicroDollars)} on
        ${' '}${counted(walk.days, 'day')}; ${price(askNow)} ${dollars(walk.askNowMicroDollars)}.
      </p>`
    }
    <p class="note">
      Of all draws, 5 % are below a range and 5 % above it. How jobs of others would have gone here, and which races this host
      would have won, is drawn at random. Other hosts may change their asks when this one does: that is in no figure.
    </p>`;
}

function RangeBar({ row: { ask, high, low, median, range } }: { readonly row: BacktestRow }): Drawn {
  const style = { '--low': low.toFixed(3), '--median': median.toFixed(3), '--high': high.toFixed(3) };
  return html`<li>
    <span class="small">${ask}</span>
    <div class="range-track" style=${style}><i class="range-bar"></i><i class="range-middle"></i></div>
    <span class="small figure">${range}</span>
  </li>`;
}
