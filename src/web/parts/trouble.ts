import { type Drawn, html } from '../html.ts';
import type { Answer } from './answer.ts';
import { Failure } from './failure.ts';

/** Why what was asked for is not here, and a way to ask again; nothing while there is no trouble. */
export function Trouble({
  answer: { ask, problem },
}: {
  readonly answer: Pick<Answer<unknown>, 'ask' | 'problem'>;
}): Drawn {
  if (problem === undefined) return null;
  return html`<div class="trouble">
    <${Failure} error=${problem} />
    <button type="button" onClick=${ask}>Try again</button>
  </div>`;
}
