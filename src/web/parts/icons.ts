import { type Drawn, html } from '../html.ts';

export function Dots(): Drawn {
  return html`<svg class="icon icon-dots" viewBox="0 0 16 16" aria-hidden="true">
    <circle cx="2.5" cy="8" r="1.5" /><circle cx="8" cy="8" r="1.5" /><circle cx="13.5" cy="8" r="1.5" />
  </svg>`;
}
