import type { GpuNotice } from '../domain/gpu.ts';
import { escapeControls } from '../lib/escape.ts';
import { LIMITS } from '../limits.ts';
import { type Meaning, meaningOf } from './messages.ts';

/** More lines than this say nothing new. */
export const MAX_NOTICES = 16;

const UNKNOWN_HINT = 'run nvidia-smi by hand to see it; the GPUs that it lists are used';
const WRONG_COLUMNS: Meaning = {
  why: 'a row with a wrong number of columns',
  hint: 'that GPU is left out; set --nvidia-smi to Nvidia’s own program',
};

/** `GPU 0000:02:00.0`, `GPU0000:BA:00.0`, `gpu 0000:3B:00.0`, `PCI:0000:65:00`. */
const BUS_ID = /(?:^|[^0-9a-f])((?:[0-9a-f]{4,8}:)[0-9a-f]{2}:[0-9a-f]{2}(?:\.[0-7])?)(?![0-9a-f])/i;

/** The lines that are no rows as notices: each text once, bounded in length and number. */
export function noticesOf(lines: readonly string[]): readonly GpuNotice[] {
  const texts = lines
    .map((line) => escapeControls(line.trim().slice(0, LIMITS.host.smiLine.max)))
    .filter(Boolean);
  return [...new Set(texts)].slice(0, MAX_NOTICES).map((text) => ({
    text,
    hint: (meaningOf(text) ?? (isLikeRow(text) ? WRONG_COLUMNS : undefined))?.hint ?? UNKNOWN_HINT,
    busId: BUS_ID.exec(text)?.[1],
  }));
}

function isLikeRow(line: string): boolean {
  return /\bGPU-[\da-f]{8}-/.test(line) && line.split(',').length > 3;
}
