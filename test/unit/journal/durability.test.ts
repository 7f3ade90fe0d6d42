import { expect, test } from 'vitest';
import { statesAfter } from '../../support/journal/lifecycle.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { WriterProcess } from '../../support/journal/writer-process.ts';

/** The state of every job in the journal, oldest first. */
function statesIn(path: string): readonly string[] {
  return withJournal(path, (journal) => journal.history(1_000_000).map((job) => job.state.name)).toReversed();
}

/** How many jobs the sums of energy have, which are written with the end of a job. */
function measuredIn(path: string): number {
  return withJournal(path, (journal) => {
    const steps = journal.energy.days.between('2000-01-01', '2100-01-01');
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value.jobs.reduce((sum, day) => sum + day.jobs, 0);
    }
  });
}

test('a process that is killed at any moment loses no step that it completed', async () => {
  const path = scratchDir();
  let step = 0;
  for (let round = 0; round < 12; round += 1) {
    const writer = WriterProcess.start(path, step);
    // A different state each time; the kill comes at any point within a step.
    await writer.read(1 + ((round * 7) % 23));
    const acknowledged = Number(await writer.kill());
    const found = statesIn(path);
    step = found.toString() === statesAfter(acknowledged).toString() ? acknowledged : acknowledged + 1;
    expect(found).toEqual(statesAfter(step));
    const ended = found.filter((state) => state === 'finished' || state === 'reported');
    expect(measuredIn(path)).toBe(ended.length);
  }
  expect(step).toBeGreaterThan(12);
}, 120_000);

test('a step that cannot be written fails completely and keeps what was there', async () => {
  const path = scratchDir();
  const writer = WriterProcess.start(path, 0, 300);
  expect(await writer.ended()).toBe('STATE_DIR_UNUSABLE');
  const done = writer.acknowledged;
  expect(done).toBeGreaterThan(5);
  expect(statesIn(path)).toEqual(statesAfter(done));
});
