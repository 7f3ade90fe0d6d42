import type { Status } from '../answers.ts';
import { besides, headline, TONES } from '../host-words.ts';
import { type Drawn, html } from '../html.ts';
import { useFormats, useNow } from '../services.ts';

/** What the host does, in a sentence, and what belongs to it. */
export function State({ status }: { readonly status: Status }): Drawn {
  const formats = useFormats();
  const now = useNow();
  return html`<section class=${`state state-${TONES[status.state]}`} aria-label="State">
    <h1 tabindex="-1">${headline(status, now, formats)}</h1>
    <p class="besides">${besides(status, now, formats)}</p>
  </section>`;
}
