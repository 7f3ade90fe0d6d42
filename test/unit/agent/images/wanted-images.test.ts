import { expect, test } from 'vitest';
import { wantedImages } from '../../../../src/agent/images/wanted-images.ts';
import type { SkipReason, Verdict } from '../../../../src/domain/decide.ts';
import { finish } from '../../../../src/lib/slices.ts';
import { aFunction, anOpenRun } from '../../../support/domain.ts';

const image = (registryPath: string) => anOpenRun({}, { function: aFunction({ registryPath }) });

const skip = (reason: SkipReason, registryPath: string): Verdict => ({
  kind: 'skip',
  open: image(registryPath),
  reason,
});

/** An offer that has decided so. */
const offer = (...verdicts: readonly Verdict[]) => ({
  *verdicts(): Generator<void, readonly Verdict[]> {
    yield;
    return verdicts;
  },
});

test('open runs want the images of what is taken, and of what would be with a slot, an image or a retry', () => {
  const wanted = finish(
    wantedImages([
      offer({ kind: 'take', open: image('a'), jobs: 1 }, skip('bid-below-ask', 'cheap')),
      offer(skip('no-slot', 'b:1'), skip('image-not-pulled', `c:1@sha256:${'c'.repeat(64)}`)),
      offer(skip('in-backoff', 'd'), skip('no-open-jobs', 'done'), skip('image-failed', 'broken')),
    ]),
  );
  expect([...wanted]).toEqual(['a:latest', 'b:1', `c@sha256:${'c'.repeat(64)}`, 'd:latest']);
});
