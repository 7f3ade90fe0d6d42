import { expect, test } from 'vitest';
import { tellAfter } from '../../support/journal/lifecycle.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { WriterProcess } from '../../support/journal/writer-process.ts';

/** The state of every job in the journal, oldest first. */
function told(path: string): readonly string[] {
  return withJournal(path, (journal) => journal.history(1_000_000).map((job) => job.state.name)).toReversed();
}

test('a process that is killed at any moment leaves what it had done, and at most the step it was in', async () => {
  const path = scratchDir();
  let step = 0;
  for (let round = 0; round < 12; round += 1) {
    const writer = WriterProcess.start(path, step);
    // Different places in the lifecycle each time; the kill itself falls anywhere within a step.
    await writer.read(1 + ((round * 7) % 23));
    const acknowledged = Number(await writer.kill());
    const found = told(path);
    step = found.toString() === tellAfter(acknowledged).toString() ? acknowledged : acknowledged + 1;
    expect(found).toEqual(tellAfter(step));
  }
  expect(step).toBeGreaterThan(12);
  // A dozen processes are started, which takes its time on a busy machine.
}, 120_000);

test('where nothing more can be written, the step fails as a whole and what was there stays', async () => {
  const path = scratchDir();
  const writer = WriterProcess.start(path, 0, 300);
  expect(await writer.ended()).toBe('STATE_DIR_UNUSABLE');
  const done = writer.acknowledged;
  expect(done).toBeGreaterThan(5);
  expect(told(path)).toEqual(tellAfter(done));
});
