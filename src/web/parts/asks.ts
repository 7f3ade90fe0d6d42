import type { Prices } from '../answers.ts';
import { type Drawn, html } from '../html.ts';
import { askFacts, changeText, frozenText } from '../price-words.ts';
import { useApi, useFormats, useMayControl, useStatus } from '../services.ts';
import { offerName } from '../target-words.ts';
import { MINUTE } from '../time-units.ts';
import { useAnswer } from './answer.ts';
import { useCommand } from './command.ts';
import { Facts } from './facts.ts';
import { Failure } from './failure.ts';
import { Foreign } from './text.ts';
import { Trouble } from './trouble.ts';

/** So many changes are seen at first. */
const FEW = 5;

/** What the offers ask and why, and the switch that stops all changes. */
export function Asks(): Drawn {
  const api = useApi();
  const prices = useAnswer(() => api.prices(), [], MINUTE);
  const { value } = prices;
  return html`<section aria-labelledby="asks-title">
    <h2 id="asks-title">Asks</h2>
    <${Trouble} answer=${prices} />
    ${value !== undefined && html`<${Known} prices=${value} onChange=${prices.ask} />`}
  </section>`;
}

function Known({ onChange, prices }: { readonly prices: Prices; readonly onChange: () => void }): Drawn {
  const formats = useFormats();
  const now = useStatus()?.at ?? new Date().toISOString();
  return html`<${Freeze} frozen=${prices.frozen} onChange=${onChange} />
    ${prices.offers.length === 0 && html`<p class="empty">Nothing is offered yet.</p>`}
    <ul class="asks">
      ${prices.offers.map(
        (offer) => html`<li key=${offer.offer} class="card">
          <h3><${Foreign} text=${offerName(offer.offer)} /> <b>${formats.price(offer.ask)}</b> <span class="small muted">per minute</span></h3>
          <${Facts} facts=${askFacts(offer, now, formats)} />
        </li>`,
      )}
    </ul>
    ${
      prices.changes.length > 0 &&
      html`<h3>Latest changes</h3>
        <ul class="rows">
          ${prices.changes.slice(0, FEW).map(
            (change) => html`<li key=${`${change.offer} ${change.at}`} class="row ask-change">
              <time datetime=${change.at} title=${formats.instant(change.at)}>${formats.time(change.at, now)}</time>
              <span><${Foreign} text=${offerName(change.offer)} /></span>
              <span>${changeText(change, formats)}</span>
            </li>`,
          )}
        </ul>`
    }`;
}

function Freeze({
  frozen,
  onChange,
}: {
  readonly frozen: Prices['frozen'];
  readonly onChange: () => void;
}): Drawn {
  const api = useApi();
  const formats = useFormats();
  const mayControl = useMayControl();
  const { error, give, isBusy } = useCommand();
  const change = async (): Promise<void> => {
    if (await give(() => (frozen === null ? api.freezePrices({}) : api.unfreezePrices({})))) onChange();
  };
  return html`<div class="freeze">
    <p>${frozen === null ? 'Strategies and floors may change asks, at most once an hour.' : frozenText(frozen, formats)}</p>
    ${
      mayControl &&
      html`<button type="button" disabled=${isBusy} onClick=${() => void change()}>
        ${frozen === null ? 'Stop all changes' : 'Allow changes'}
      </button>`
    }
    ${error !== undefined && html`<${Failure} error=${error} />`}
  </div>`;
}
