import { type Drawn, html } from '../html.ts';
import { Hint } from '../parts/failure.ts';
import { useFormats, useStatus } from '../services.ts';
import { Plots } from './plots.ts';

/** What the host does now. */
export function Now(): Drawn {
  const status = useStatus();
  const { money } = useFormats();
  if (status === undefined) return html`<h1 tabindex="-1">Asking the agent …</h1>`;
  return html`<h1 tabindex="-1">${status.sentence}</h1>
    <p>${money(status.today.earned)} today</p>
    ${status.problem !== null && html`<p>${status.problem.why}</p><${Hint} text=${status.problem.hint} />`}
    <${Plots} />`;
}
