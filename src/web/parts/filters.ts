import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { type Drawn, html } from '../html.ts';
import { fieldValue } from './field-value.ts';

const TYPING_MS = 250;

/** What narrows a list. */
export function Filters({ children, label }: { readonly label: string; readonly children?: Drawn }): Drawn {
  return html`<form class="filters" role="search" aria-label=${label} onSubmit=${(event: Event) => event.preventDefault()}>
    ${children}
  </form>`;
}

type Field = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
};

/** Searched for once somebody has stopped typing. */
export function Search({ hint, label, onChange, value }: Field & { readonly hint: string }): Drawn {
  const id = useId();
  const [typed, setTyped] = useState(value);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => latest.current(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return html`<label class="filter filter-search" for=${id}>
    <span class="filter-label">${label}</span>
    <input
      id=${id}
      type="search"
      placeholder=${hint}
      maxlength="200"
      autocomplete="off"
      spellcheck=${false}
      value=${typed}
      onInput=${(event: Event) => setTyped(fieldValue(event))}
    />
  </label>`;
}

/** One of some, or all of them. */
export function Select({
  all = 'all',
  isWide = false,
  label,
  onChange,
  options,
  value,
}: Field & {
  readonly all?: string;
  readonly isWide?: boolean;
  readonly options: readonly (readonly [value: string, words: string])[];
}): Drawn {
  const id = useId();
  return html`<label class=${isWide ? 'filter filter-search' : 'filter'} for=${id}>
    <span class="filter-label">${label}</span>
    <select id=${id} value=${value} onChange=${(event: Event) => onChange(fieldValue(event))}>
      <option value="">${all}</option>
      ${options.map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}
    </select>
  </label>`;
}

/** On or off. */
export function Toggle({
  isOn,
  label,
  onChange,
}: {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}): Drawn {
  return html`<label class="toggle">
    <input type="checkbox" checked=${isOn} onChange=${() => onChange(!isOn)} /> ${label}
  </label>`;
}
