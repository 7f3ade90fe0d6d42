import { useId } from 'preact/hooks';
import { type Drawn, html } from '../html.ts';

/** One of a few, all of them seen. */
export function Segments({
  legend,
  onChange,
  options,
  value,
}: {
  readonly legend: string;
  /** `title` is what short words stand for. */
  readonly options: readonly (readonly [value: string, words: string, title?: string])[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}): Drawn {
  const name = useId();
  return html`<fieldset class="spans">
    <legend class="unseen">${legend}</legend>
    ${options.map(
      ([option, words, title]) => html`<label class="span" key=${option}>
        <input type="radio" name=${name} checked=${option === value} onChange=${() => onChange(option)} /> ${title === undefined ? words : html`<abbr title=${title}>${words}</abbr>`}
      </label>`,
    )}
  </fieldset>`;
}
