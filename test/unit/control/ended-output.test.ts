import { expect, test } from 'vitest';
import { ended } from '../../../src/control/output-route.ts';
import { LIMITS } from '../../../src/limits.ts';

test('says that something is left out of the output of an ended job where its beginning was not kept', async () => {
  const kept = { stdout: 'x'.repeat(LIMITS.journal.output.max), stderr: 'short' };
  const pieces: (readonly [string, boolean])[] = [];
  for await (const { leftOut, stream } of ended('job', kept)) pieces.push([stream, leftOut]);
  expect(pieces).toEqual([
    ['stdout', true],
    ['stderr', false],
  ]);
});
