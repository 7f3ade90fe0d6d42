import type { Status } from '../answers.ts';
import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { useFormats } from '../services.ts';
import { Foreign } from './text.ts';

type Offer = Status['offers'][number];

/** What the broker knows of this host. */
export function Offers({ offers }: Pick<Status, 'offers'>): Drawn {
  const { count, price } = useFormats();
  return html`<section class="card offers" aria-labelledby="offers-title">
    <h2 id="offers-title">Offers</h2>
    ${offers.length === 0 && html`<p class="muted">Nothing is offered on the market.</p>`}
    ${
      offers.length > 0 &&
      html`<ul>
        ${offers.map(
          (offer) => html`<li key=${offer.offer} class="offer">
            <span class="offer-name"><${Foreign} text=${offer.name} /></span>
            <span class="figure">${price(offer.askPrice)} per minute</span>
            <span class="figure">${count(offer.used)} of ${count(offer.slots)} busy</span>
            <span class=${offer.onMarket ? 'muted' : 'offer-off'}>${marketText(offer)}</span>
          </li>`,
        )}
      </ul>`
    }
  </section>`;
}

function marketText({ onMarket, open, slots, why }: Offer): string {
  if (!onMarket) return `off the market${why === null ? '' : `: ${visible(why)}`}`;
  return open < slots ? `on the market with ${open}` : 'on the market';
}
