import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';

/** A text that others wrote: on one line, cut where there is no room, whole in its title, and kept from turning what is around it. */
export function Foreign({ text }: { readonly text: string }): Drawn {
  const shown = visible(text);
  return html`<bdi class="foreign" title=${shown}>${shown}</bdi>`;
}
