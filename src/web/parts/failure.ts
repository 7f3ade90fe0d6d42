import type { ApiError } from '../api-error.ts';
import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';

/** What failed, in the agent's words, and what to do about it. */
export function Failure({ error }: { readonly error: Pick<ApiError, 'hint' | 'message'> }): Drawn {
  return html`<div class="failure" role="alert">
    <p>${sentence(visible(error.message))}</p>
    <${Hint} text=${error.hint} />
  </div>`;
}

/** What an owner can do about something; nothing where there is no hint. */
export function Hint({ text }: { readonly text: string | null | undefined }): Drawn {
  return text ? html`<p class="hint"><span class="hint-word">Hint:</span> ${visible(text)}</p>` : null;
}

/** A message of the agent as a sentence. */
export function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
