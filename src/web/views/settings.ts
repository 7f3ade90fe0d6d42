import { type Drawn, html } from '../html.ts';

export function Settings(): Drawn {
  return html`<h1 tabindex="-1">Settings</h1>`;
}
