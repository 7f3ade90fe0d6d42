import type { Status } from '../answers.ts';
import { type Drawn, html } from '../html.ts';
import { useFormats } from '../services.ts';
import { Foreign } from './text.ts';

/** The images that are on their way. */
export function Pulls({ pulls }: Pick<Status, 'pulls'>): Drawn {
  const { bytes, duration } = useFormats();
  if (pulls.length === 0) return null;
  return html`<section class="card pulls" aria-labelledby="pulls-title">
    <h2 id="pulls-title">Images on their way</h2>
    ${pulls.map(({ doneBytes, image, secondsLeft, totalBytes, unknownLayers }) => {
      const left = secondsLeft === null ? '' : `, ${duration(secondsLeft * 1_000)} left`;
      // While the size of layers is not known, a part of the whole is none.
      const total = totalBytes === 0 || unknownLayers > 0 ? undefined : totalBytes;
      return html`<div key=${image} class="pull">
        <${Foreign} text=${image} />
        <span class="figure muted small">${bytes(doneBytes)}${total !== undefined && ` of ${bytes(total)}`}${left}</span>
        <progress aria-label=${`Pull of ${image}`} max=${total} value=${total === undefined ? undefined : doneBytes}></progress>
      </div>`;
    })}
  </section>`;
}
