import { expect, test } from 'vitest';
import { type BookedJob, differenceOf, type OwnJob } from '../../../src/domain/books.ts';

const own = (more: Partial<OwnJob> = {}): OwnJob => ({
  uuid: 'a',
  state: 'reported',
  status: 3,
  microDollars: 500,
  ...more,
});
const theirs = (more: Partial<BookedJob> = {}): BookedJob => ({
  uuid: 'a',
  instance: 'i',
  status: 3,
  microDollars: 500,
  endedAt: 0,
  ...more,
});
const FAILED = { status: 4, microDollars: 0 } as const;

type Case = readonly [
  string,
  OwnJob | undefined,
  BookedJob | undefined,
  string | undefined,
  number | undefined,
];

test.each<Case>([
  ['the same', own(), theirs(), undefined, undefined],
  ['a timeout that was paid', own({ status: 5 }), theirs({ status: 5 }), undefined, undefined],
  ['a failed job', own(FAILED), theirs(FAILED), undefined, undefined],
  [
    'a failed job of which the broker says no cost',
    own(FAILED),
    theirs({ status: 4, microDollars: undefined }),
    undefined,
    undefined,
  ],
  [
    'a job whose cost the broker does not say',
    own(),
    theirs({ microDollars: undefined }),
    undefined,
    undefined,
  ],
  ['one millionth more at the broker', own(), theirs({ microDollars: 501 }), 'amount-differs', 1],
  ['less at the broker', own(), theirs({ microDollars: 0 }), 'amount-differs', -500],
  ['another end', own(), theirs(FAILED), 'status-differs', -500],
  ['one that is open again', own(), theirs({ status: 1, microDollars: undefined }), 'status-differs', -500],
  [
    'one that was dropped here and paid',
    own({ state: 'dropped', status: undefined, microDollars: 0 }),
    theirs(),
    'status-differs',
    500,
  ],
  [
    'one that was released here and is open',
    own({ state: 'released', status: undefined, microDollars: 0 }),
    theirs({ status: 1 }),
    undefined,
    undefined,
  ],
  [
    'one that was released here',
    own({ state: 'released', status: undefined, microDollars: 0 }),
    undefined,
    undefined,
    undefined,
  ],
  [
    'one that is at work',
    own({ state: 'running', status: undefined, microDollars: 0 }),
    undefined,
    undefined,
    undefined,
  ],
  ['one that the broker does not know', own(), undefined, 'unknown-at-broker', -500],
  ['one that is not known here', undefined, theirs(), 'unknown-here', 500],
  ['a report on its way', own({ state: 'finished' }), undefined, 'pending', 0],
  [
    'a report whose answer was lost',
    own({ state: 'finished' }),
    theirs({ microDollars: 490 }),
    'pending',
    490,
  ],
])('%s', (_, here, broker, kind, microDollars) => {
  const found = differenceOf(here, broker);
  expect(found?.kind).toBe(kind);
  expect(found?.microDollars).toBe(microDollars);
});
