import type { Output } from './answers.ts';
import { visible } from './format.ts';

/** A line of a job's output, ready to be shown. */
export type OutputLine = { readonly id: number; readonly stream: 'stdout' | 'stderr'; readonly text: string };

/** What is shown of a job's output. */
export type Shown = {
  /** The lines, oldest first; the last of a stream may still grow. */
  readonly lines: readonly OutputLine[];
  /** How many lines were dropped at the beginning. */
  readonly dropped: number;
};

/** How many lines are shown at most; older ones are dropped. */
export const MAX_LINES = 5_000;
/** Longer lines are broken here, because a browser needs very long for a line of a megabyte. */
export const MAX_LINE = 2_000;

export const NOTHING_SHOWN: Shown = { lines: [], dropped: 0 };

/** Appends what a job printed. A line that was not ended goes on where its stream has printed last. Pure. */
export function append({ dropped, lines }: Shown, stream: OutputLine['stream'], text: string): Shown {
  if (text === '') return { lines, dropped };
  const next = [...lines];
  const open = next.findLastIndex((line) => line.stream === stream);
  const before = next[open];
  const id = (next.at(-1)?.id ?? dropped - 1) + 1;
  const isOpen = before !== undefined && !before.text.endsWith('\n');
  const parts = linesOf(`${isOpen ? before.text : ''}${text}`);
  const [first, ...others] = isOpen ? parts : ['', ...parts];
  if (isOpen && first !== undefined) next[open] = { ...before, text: first };
  next.push(...others.map((part, index) => ({ id: id + index, stream, text: part })));
  const over = Math.max(next.length - MAX_LINES, 0);
  return { lines: next.slice(over), dropped: dropped + over };
}

/** Lines with their line breaks, none longer than `MAX_LINE`. */
function linesOf(text: string): readonly string[] {
  // A carriage return alone begins a line, too: programs that show progress print nothing else.
  const broken = text.match(/[^\r\n]*(?:\r\n?|\n)|[^\r\n]+$/g) ?? [];
  return broken.flatMap((line) => line.match(new RegExp(`[^]{1,${MAX_LINE}}(?:\\r?\\n)?`, 'gu')) ?? []);
}

/**
 * A piece of a job's output with its control characters and invisible marks made visible, but for line breaks and tabs, so that
 * none acts and none hides. Pure.
 */
export function visibleOutput(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\r', '\\r')
    .replace(/[^\n\t]+/g, visible);
}

/** Whether a line of the stream is a piece of output. Pure. */
export function isPiece(value: unknown): value is Output {
  return typeof value === 'object' && value !== null && 'text' in value && 'state' in value;
}
