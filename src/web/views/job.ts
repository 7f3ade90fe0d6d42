import { type Drawn, html } from '../html.ts';
import { Foreign } from '../parts/text.ts';

export function Job({ id }: { readonly id: string }): Drawn {
  return html`<h1 tabindex="-1">Job <${Foreign} text=${id} /></h1>`;
}
