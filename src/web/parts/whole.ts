import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';

/** A text that others wrote, with as many lines as it needs. */
export function Whole({ text = '' }: { readonly text: string | undefined }): Drawn {
  return html`<bdi class="whole">${visible(text)}</bdi>`;
}
