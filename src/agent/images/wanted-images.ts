import type { SkipReason, Verdict } from '../../domain/decide.ts';
import type { Steps } from '../../lib/slices.ts';
import { engineNameOf } from './image-uses.ts';

/** Why a run is skipped that wants its image all the same, or may want it in a moment. */
const WANTING: ReadonlySet<SkipReason> = new Set([
  'in-backoff',
  'no-slot',
  'gpu-memory-short',
  'image-not-pulled',
]);

/** What offers make of the runs of their last polls. */
type Deciding = { verdicts(): Generator<void, readonly Verdict[]> };

/** The images that the open runs of these offers want, by the names that engines have of them. */
export function* wantedImages(
  offers: readonly Deciding[],
): Steps<ReadonlySet<string>> & Iterable<void | 'long'> {
  const wanted = new Set<string>();
  for (const offer of offers)
    for (const verdict of yield* offer.verdicts()) {
      const { function: fn } = verdict.open;
      const wants = verdict.kind === 'take' || WANTING.has(verdict.reason);
      if (fn !== undefined && wants) wanted.add(engineNameOf(fn.registryPath));
      yield;
    }
  return wanted;
}
