import { describe, expect, test } from 'vitest';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

/** A directory whose journal has a pending report, an instance and a lease of this broker. */
function pendingAt(broker: string): string {
  const path = scratchDir();
  withJournal(
    path,
    (journal) => {
      journal.insert(newJob('pending'));
      for (const name of ['claimed', 'starting', 'running', 'finished'] as const)
        journal.transition('pending', stateNamed(name));
      journal.insert(newJob('done'));
      journal.transition('done', stateNamed('dropped'));
      journal.rememberInstance('cpu', 'instance-1');
      journal.rememberLease(60);
    },
    broker,
  );
  return path;
}

const known = (journal: SqliteJournal) => ({
  pending: journal.uuidsIn('finished'),
  instance: journal.instance('cpu'),
  lease: journal.leaseSeconds(),
});
type Known = ReturnType<typeof known>;
const ALL: Known = { pending: ['pending'], instance: 'instance-1', lease: 60 };

/** Opens the journal for the URL to which the owner says that the broker has moved. */
function moveTo(path: string, broker: string): { readonly moves: unknown[]; readonly known: Known } {
  const moves: unknown[] = [];
  const dir = openStateDir(path);
  const journal = openJournal(dir, broker, systemClock, {
    brokerMoved: true,
    onMoved: (move) => void moves.push(move),
  });
  try {
    return { moves, known: known(journal) };
  } finally {
    journal.close();
    dir.close();
  }
}

describe('a change of the broker’s URL', () => {
  test.each([
    ['http://broker.example', 'https://broker.example'],
    ['http://broker.example:8443/at', 'https://broker.example:8443/at'],
  ])('from http to https keeps the jobs: %s, %s', (before, after) => {
    const path = pendingAt(before);
    const moves: unknown[] = [];
    const dir = openStateDir(path);
    const journal = openJournal(dir, after, systemClock, { onMoved: (move) => void moves.push(move) });
    expect(known(journal)).toEqual(ALL);
    journal.close();
    dir.close();
    expect(moves).toEqual([{ from: new URL(before).href, to: new URL(after).href, jobs: 1 }]);
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
  ])('of any other kind is CONFIG_INVALID: %s, %s', (before, after) => {
    const path = pendingAt(before);
    const error = agentErrorOf(() => withJournal(path, known, after));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.hint).toContain('broker-moved');
    expect(withJournal(path, known, before)).toEqual(ALL);
  });
});

describe('a broker whose move the owner confirms', () => {
  test('keeps its pending reports, instances and lease', () => {
    const path = pendingAt('http://old.example');
    const { known: there, moves } = moveTo(path, 'https://new.example');
    expect(there).toEqual(ALL);
    expect(moves).toEqual([{ from: 'http://old.example/', to: 'https://new.example/', jobs: 1 }]);
    expect(withJournal(path, known, 'https://new.example')).toEqual(ALL);
  });

  test('replaces what the journal has of the new URL', () => {
    const path = scratchDir();
    withJournal(path, (journal) => journal.rememberInstance('cpu', 'not this one'), 'https://new.example');
    withJournal(path, (journal) => journal.insert(newJob('a')), 'http://old.example');
    withJournal(path, (journal) => journal.rememberInstance('cpu', 'this one'), 'http://old.example');
    expect(moveTo(path, 'https://new.example').known.instance).toBe('this one');
  });

  test('changes nothing once this host works for the new one', () => {
    const path = pendingAt('http://old.example');
    withJournal(
      path,
      (journal) => journal.transition('pending', stateNamed('reported')),
      'http://old.example',
    );
    withJournal(
      path,
      (journal) => {
        journal.insert(newJob('new'));
        journal.transition('new', stateNamed('dropped'));
      },
      'https://new.example',
    );
    expect(moveTo(path, 'https://new.example')).toMatchObject({
      moves: [],
      known: { pending: [], instance: undefined },
    });
  });

  /** A directory whose journal has nothing but a paid job of this broker. */
  function paidAt(broker: string): string {
    const path = scratchDir();
    withJournal(
      path,
      (journal) => {
        journal.insert(newJob('paid'));
        for (const name of ['claimed', 'starting', 'running', 'finished', 'reported'] as const)
          journal.transition('paid', stateNamed(name));
        journal.rememberInstance('cpu', 'instance-1');
      },
      broker,
    );
    return path;
  }

  const booksAt = (journal: SqliteJournal, broker: string) => [
    journal.bookedJobs.total(broker),
    [...journal.bookedJobs.instancesAt(broker)],
  ];

  test('takes the books along where nothing is pending, from http to https', () => {
    const path = paidAt('http://broker.example/');
    const before = withJournal(
      path,
      (journal) => booksAt(journal, 'http://broker.example/'),
      'http://broker.example/',
    );
    expect(before[0]).toBeGreaterThan(0);
    const after = withJournal(
      path,
      (journal) => booksAt(journal, 'https://broker.example/'),
      'https://broker.example/',
    );
    expect(after).toEqual(before);
  });

  test('takes the books along where nothing is pending and the owner confirms it, and else leaves them', () => {
    const path = paidAt('https://old.example/');
    const url = 'https://new.example/';
    const at = (broker: string) => withJournal(path, (journal) => booksAt(journal, broker), broker);
    const before = at('https://old.example/');
    expect(at(url)).toEqual([0, []]);
    expect(moveTo(path, url).moves).toEqual([{ from: 'https://old.example/', to: url, jobs: 0 }]);
    expect(at(url)).toEqual(before);
    expect(moveTo(path, url).moves).toEqual([]);
  });

  test('adds the books of the old address to those of the new one', () => {
    const path = paidAt('https://old.example/');
    const url = 'https://new.example/';
    const worked = (uuid: string, broker: string) =>
      withJournal(
        path,
        (journal) => {
          journal.insert(newJob(uuid));
          for (const name of ['claimed', 'starting', 'running', 'finished', 'reported'] as const)
            journal.transition(uuid, stateNamed(name));
          return journal.bookedJobs.total();
        },
        broker,
      );
    worked('new', url);
    const all = worked('old', 'https://old.example/');
    moveTo(path, url);
    expect(withJournal(path, (journal) => journal.bookedJobs.total(url), url)).toBe(all);
  });
});
