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
  readonly options: readonly (readonly [value: string, words: string])[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}): Drawn {
  const name = useId();
  return html`<fieldset class="spans">
    <legend class="unseen">${legend}</legend>
    ${options.map(
      ([option, words]) => html`<label class="span" key=${option}>
        <input type="radio" name=${name} checked=${option === value} onChange=${() => onChange(option)} /> ${words}
      </label>`,
    )}
  </fieldset>`;
}
