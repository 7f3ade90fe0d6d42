import { escapeControls } from '../lib/escape.ts';
import { wrap } from '../lib/wrap.ts';
import type { Writer } from './command.ts';

/** What the layout of a text needs to know about its output. */
export type Page = Pick<Writer, 'columns' | 'redact'>;

/** A text that is safe to print: without secrets, which could not be found once they are broken, and control characters. */
export function printable(text: string, page: Page): string {
  return escapeControls(page.redact(text));
}

/** Breaks a text into printable lines that leave room for `indent` characters. */
export function linesOf(text: string, page: Page, indent = 0): readonly string[] {
  return wrap(printable(text, page), page.columns - indent);
}
