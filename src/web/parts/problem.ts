import type { Status } from '../answers.ts';
import { visible } from '../format.ts';
import { worstProblem } from '../host-words.ts';
import { type Drawn, html } from '../html.ts';
import { Hint, sentence } from './failure.ts';

/** The one worst problem with its hint; nothing where there is none. */
export function Problem({ status }: { readonly status: Status }): Drawn {
  const problem = worstProblem(status);
  if (problem === undefined) return null;
  return html`<section class="problem" aria-label="Problem">
    ${problem.why !== undefined && html`<p class="problem-why">${sentence(visible(problem.why))}</p>`}
    <${Hint} text=${problem.hint} />
  </section>`;
}
