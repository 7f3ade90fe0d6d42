import { SKIP_REASONS } from '../../domain/decide.ts';
import { imageAllowed } from '../../domain/image-ref.ts';
import { languageOf } from '../../domain/language.ts';
import type { OpenRun } from '../../domain/run.ts';
import { type MarketRow, plainRow } from './evaluation.ts';

/** What is known of a run where nothing is offered. */
export type Unoffered = {
  readonly open: OpenRun;
  /** Whether it was looked up and makes no sense. */
  readonly senseless: boolean;
};

/** A run of a market to which this host offers nothing: what it would need to be taken. Pure. */
export function rowWithNeeds({ open, senseless }: Unoffered, patterns: readonly string[]): MarketRow {
  const row = { ...plainRow(open), ask: null, taken: 0, offers: [] };
  if (senseless) return { ...row, reason: 'invalid', words: SKIP_REASONS['invalid'] };
  if (open.function !== undefined && languageOf(open.function.runtime) === undefined)
    return { ...row, reason: 'unsupported-runtime', words: SKIP_REASONS['unsupported-runtime'] };
  return { ...row, reason: 'nothing-offered', words: `needs ${needsOf(open, patterns).join(', ')}` };
}

function needsOf({ function: fn, image, run }: OpenRun, patterns: readonly string[]): readonly string[] {
  const least = run.baseGpu === null ? 'a GPU' : `a GPU no smaller than ${run.baseGpuName}`;
  const kind = image === undefined ? [] : [image.requiresGpu ? least : 'a CPU slot'];
  const listed = fn === undefined || imageAllowed(fn.registryPath, patterns);
  return [
    ...kind,
    `an ask of at most $${run.bidPrice}`,
    ...(listed ? [] : ['its image on the list (--images)']),
  ];
}
