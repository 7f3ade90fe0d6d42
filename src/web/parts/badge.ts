import { type Drawn, html } from '../html.ts';
import type { Tone } from '../target-words.ts';

/** A state in one or two words. */
export function Badge({
  title,
  tone,
  word,
}: {
  readonly word: string;
  readonly tone: Tone;
  /** What the words stand for. */
  readonly title?: string;
}): Drawn {
  return html`<span class=${`badge badge-${tone}`} title=${title}>${word}</span>`;
}
