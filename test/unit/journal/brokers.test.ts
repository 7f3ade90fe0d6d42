import { describe, expect, test } from 'vitest';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

/** A directory whose journal owes this broker a report, and has an offer and a lease of it. */
function owedTo(broker: string): string {
  const path = scratchDir();
  withJournal(
    path,
    (journal) => {
      journal.insert(newJob('owed'));
      for (const name of ['claimed', 'starting', 'running', 'finished'] as const)
        journal.transition('owed', stateNamed(name));
      journal.insert(newJob('over'));
      journal.transition('over', stateNamed('dropped'));
      journal.rememberInstance('cpu', 'instance-1');
      journal.rememberLease(60);
    },
    broker,
  );
  return path;
}

const known = (journal: SqliteJournal) => ({
  owed: journal.uuidsIn('finished'),
  instance: journal.instance('cpu'),
  lease: journal.leaseSeconds(),
});
type Known = ReturnType<typeof known>;
const ALL: Known = { owed: ['owed'], instance: 'instance-1', lease: 60 };

/** Opens the journal for a broker to which its owner says that the one of before has moved. */
function moveTo(path: string, broker: string): { readonly said: unknown[]; readonly known: Known } {
  const said: unknown[] = [];
  const dir = openStateDir(path);
  const journal = openJournal(dir, broker, systemClock, {
    brokerMoved: true,
    onMoved: (move) => void said.push(move),
  });
  try {
    return { said, known: known(journal) };
  } finally {
    journal.close();
    dir.close();
  }
}

describe('a broker that goes from http to https', () => {
  test.each([
    ['http://broker.example', 'https://broker.example'],
    ['http://broker.example:8443/at', 'https://broker.example:8443/at'],
  ])('is the same one: %s, %s', (before, after) => {
    const path = owedTo(before);
    const said: unknown[] = [];
    const dir = openStateDir(path);
    const journal = openJournal(dir, after, systemClock, { onMoved: (move) => void said.push(move) });
    expect(known(journal)).toEqual(ALL);
    journal.close();
    dir.close();
    expect(said).toEqual([{ from: new URL(before).href, to: new URL(after).href, jobs: 1 }]);
    // From now on it is the other address that is foreign.
    expect(withJournal(path, known, after)).toEqual(ALL);
    expect(agentErrorOf(() => withJournal(path, known, before)).code).toBe('CONFIG_INVALID');
  });

  test.each([
    ['http://broker.example', 'https://other.example'],
    ['http://broker.example', 'https://www.broker.example'],
    ['http://broker.example', 'https://broker.example:8443'],
    ['http://broker.example:8080', 'https://broker.example'],
    ['http://broker.example', 'https://broker.example/at'],
    ['https://broker.example', 'http://broker.example'],
    ['https://broker.example', 'https://broker.example:444'],
  ])('is the only one that is taken for the same: %s, %s', (before, after) => {
    const path = owedTo(before);
    const error = agentErrorOf(() => withJournal(path, known, after));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.hint).toContain('broker-moved');
    expect(withJournal(path, known, before)).toEqual(ALL);
  });
});

describe('a broker that has moved, as its owner says', () => {
  test('is owed the same reports there, with its offers and lease', () => {
    const path = owedTo('http://old.example');
    const { said, known: there } = moveTo(path, 'https://new.example');
    expect(there).toEqual(ALL);
    expect(said).toEqual([{ from: 'http://old.example/', to: 'https://new.example/', jobs: 1 }]);
    expect(withJournal(path, known, 'https://new.example')).toEqual(ALL);
  });

  test('takes the place of what was remembered of the new address', () => {
    const path = scratchDir();
    withJournal(path, (journal) => journal.rememberInstance('cpu', 'not this one'), 'https://new.example');
    withJournal(path, (journal) => journal.insert(newJob('a')), 'http://old.example');
    withJournal(path, (journal) => journal.rememberInstance('cpu', 'this one'), 'http://old.example');
    expect(moveTo(path, 'https://new.example').known.instance).toBe('this one');
  });

  test('is none where nothing is open: the journal stays as it is', () => {
    const path = owedTo('http://old.example');
    withJournal(path, (journal) => journal.transition('owed', stateNamed('reported')), 'http://old.example');
    expect(moveTo(path, 'https://new.example')).toMatchObject({
      said: [],
      known: { owed: [], instance: undefined },
    });
  });
});
