import { type Drawn, html } from '../html.ts';

export function Jobs(): Drawn {
  return html`<h1 tabindex="-1">Jobs</h1>`;
}
