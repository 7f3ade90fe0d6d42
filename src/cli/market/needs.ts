import { SKIP_REASONS } from '../../domain/decide.ts';
import { imageAllowed } from '../../domain/image-ref.ts';
import { languageOf } from '../../domain/language.ts';
import type { OpenRun } from '../../domain/run.ts';
import { readablePrice } from '../../lib/readable.ts';
import { type MarketRow, plainRow } from './rows.ts';

/** A run where this host offers nothing. */
export type RunWithoutOffer = {
  readonly open: OpenRun;
  /** Whether it can never be executed. */
  readonly isInvalid: boolean;
};

/** What an offer would need to take the run. Pure. */
export function rowWithNeeds({ isInvalid, open }: RunWithoutOffer, patterns: readonly string[]): MarketRow {
  const row = { ...plainRow(open), ask: null, taken: 0, offers: [] };
  if (isInvalid) return { ...row, reason: 'invalid', words: SKIP_REASONS['invalid'] };
  if (open.function !== undefined && languageOf(open.function.runtime) === undefined)
    return { ...row, reason: 'unsupported-runtime', words: SKIP_REASONS['unsupported-runtime'] };
  return { ...row, reason: 'nothing-offered', words: `needs ${needsOf(open, patterns).join(', ')}` };
}

function needsOf({ function: fn, image, run }: OpenRun, patterns: readonly string[]): readonly string[] {
  const gpu = run.baseGpu === null ? 'a GPU' : `a GPU at least as large as ${run.baseGpuName}`;
  const kind = image === undefined ? [] : [image.requiresGpu ? gpu : 'a CPU slot'];
  const isListed = fn === undefined || imageAllowed(fn.registryPath, patterns);
  return [
    ...kind,
    `an ask of at most ${readablePrice(run.bidPrice)}`,
    ...(isListed ? [] : ['its image in --images']),
  ];
}
