import htm from 'htm';
import { type ComponentChildren, h } from 'preact';

/** Makes elements of a template. What is filled in is text or an element, never markup. */
export const html = htm.bind(h);

/** What a component draws. */
export type Drawn = ComponentChildren;
