import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

test('the jobs of some states come by their uuids, oldest first', () => {
  withJournal(scratchDir(), (journal) => {
    for (const uuid of ['z', 'm', 'a', 'k']) journal.insert(newJob(uuid));
    for (const uuid of ['a', 'z']) journal.transition(uuid, stateNamed('releasing'));
    journal.transition('k', stateNamed('claimed'));
    expect(journal.uuidsIn('releasing')).toEqual(['z', 'a']);
    expect(journal.uuidsIn('claiming', 'claimed')).toEqual(['m', 'k']);
    expect(journal.uuidsIn('finished')).toEqual([]);
  });
});

test('what is in their reports is not even read', () => {
  const path = scratchDir();
  withJournal(path, (journal) => {
    journal.insert(newJob('a'));
    journal.transition('a', stateNamed('releasing'));
  });
  const db = new DatabaseSync(join(path, 'journal.db'));
  db.exec(`UPDATE jobs SET detail = 'no JSON at all'`);
  db.close();
  withJournal(path, (journal) => {
    expect(journal.uuidsIn('releasing')).toEqual(['a']);
    expect(journal.instancesOf('releasing', 'claimed')).toEqual(['instance-1']);
    expect(journal.instancesOf('claimed')).toEqual([]);
    expect(() => journal.get('a')).toThrow('journal');
  });
});
