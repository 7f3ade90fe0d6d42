import { type Drawn, html } from '../html.ts';
import { useStatus } from '../services.ts';

/** A large view to look at only, for a display on the wall. */
export function Kiosk(): Drawn {
  const status = useStatus();
  return html`<main class="kiosk"><h1>${status?.host}</h1></main>`;
}
