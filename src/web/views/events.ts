import { type Drawn, html } from '../html.ts';

export function Events(): Drawn {
  return html`<h1 tabindex="-1">Events</h1>`;
}
