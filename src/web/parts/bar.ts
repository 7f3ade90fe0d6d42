import { type Drawn, html } from '../html.ts';

/** A figure with a bar that shows how much of its most it is. */
export type BarFigure = {
  readonly name: string;
  /** As it is written. */
  readonly text: string;
  /** Null: not known. */
  readonly value: number | null;
  readonly max: number;
  readonly tone?: 'warn' | 'bad' | undefined;
};

export function Bar({ max, name, text, tone, value }: BarFigure): Drawn {
  const part = value === null || max <= 0 ? 0 : Math.min(Math.max(value / max, 0), 1);
  const known = value !== null && {
    role: 'meter',
    'aria-label': name,
    'aria-valuemin': 0,
    'aria-valuemax': max,
    'aria-valuenow': Math.min(value, max),
    'aria-valuetext': text,
  };
  return html`<div class="bar">
    <span class="bar-name">${name}</span>
    <span class="bar-text figure">${text}</span>
    <div class="bar-track" ...${known}>
      <div class=${`bar-fill${tone === undefined ? '' : ` bar-${tone}`}`} style=${{ '--part': part.toFixed(3) }}></div>
    </div>
  </div>`;
}
