import { type Drawn, html } from '../html.ts';

export function Market(): Drawn {
  return html`<h1 tabindex="-1">Market</h1>`;
}
