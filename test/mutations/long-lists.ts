import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const LOG_TEST = 'test/unit/lib/log.test.ts';
const JOURNAL = 'src/journal/sqlite-journal.ts';
const JOURNAL_TEST = 'test/unit/journal/sqlite-journal.test.ts';

const rows: readonly MutationRow[] = [
  [
    'a long field of the broker’s is not kept',
    'src/broker/json-fields.ts',
    'if (this.#valueBytes <= keep) this.#append(source, from, to);',
    'if (keep > 0) this.#append(source, from, to);',
    'test/unit/broker/json-projector.test.ts',
    '%s leaves the field out',
  ],
  [
    'of too many runs those with the highest bids are kept',
    'src/broker/wire-run.ts',
    'a.run.bidPrice < b.run.bidPrice;',
    'a.run.bidPrice > b.run.bidPrice;',
    'test/unit/broker/wire-run.test.ts',
    'whose bids are %s and that are too many are those with the highest bids',
  ],
  [
    'a broker that sends long lists does not keep the agent busy',
    'src/agent/market/run-poller.ts',
    'const restMs = restAfter(answer.busyMs);',
    'const restMs = 0;',
    'test/unit/agent/market/run-poller.test.ts',
    'a list that took a second to read is not read again for nine',
  ],
  [
    'the code of functions takes no more memory than it may',
    'src/agent/market/function-code.ts',
    'if (this.#bytes <= LIMITS.broker.codeInMemory.max) break;',
    'if (this.#bytes >= 0) break;',
    'test/unit/agent/market/function-code.test.ts',
    'that was used longest ago is forgotten, and fetched again for a claim',
  ],
  [
    'what is claimed takes no more memory than it may',
    'src/agent/market/market.ts',
    'new ByteBudget(LIMITS.broker.claimInput.max)',
    'new ByteBudget(Number.POSITIVE_INFINITY)',
    'test/contract/agent/claim-memory.test.ts',
    'so of %s only some are claimed at the same time',
  ],
  [
    'jobs that run take no memory from claims',
    'src/agent/jobs/job-runner.ts',
    'void laidOut.then(watch.laidOut, watch.laidOut);',
    '',
    'test/contract/agent/claim-memory.test.ts',
    'and jobs that run have none',
  ],
  [
    'long work goes in slices',
    'src/lib/slices.ts',
    'await nextTurn();',
    '',
    'test/unit/lib/slices.test.ts',
    'a long list is worked through in slices, in order, and the event loop goes on between them',
  ],
  [
    'long lists are sorted in steps',
    'src/domain/sort-in-steps.ts',
    'const CHUNK = 256;',
    'const CHUNK = 1_000_000;',
    'test/unit/domain/sort-in-steps.test.ts',
    'takes a step for some hundred items at most',
  ],
  [
    'skipped runs have few lines',
    'src/agent/market/skip-log.ts',
    'this.#lines.takeOne(LINES_PER_SECOND)',
    'this.#lines.takeOne(LINES_PER_SECOND) || true',
    'test/unit/agent/market/skip-log.test.ts',
    'of new runs at each poll some have a line, and the others are counted once a minute',
  ],
  [
    'lines of the log have a length',
    'src/lib/log.ts',
    'boundLine({ fields, message }, (text) => redactor.text(text))',
    '{ fields, message }',
    LOG_TEST,
    'a long message or field is cut, wherever it is, and says how long it was',
  ],
  [
    'secrets are removed before a line is cut',
    'src/lib/bound-line.ts',
    'redact(whole.slice(0, max + OVERLAP))',
    'whole.slice(0, max + OVERLAP)',
    LOG_TEST,
    'a secret at the cut leaves no part of it',
  ],
  [
    'lines of one event have a rate',
    'src/lib/log-rate.ts',
    'bucket.takeOne(LINES_PER_SECOND)',
    'bucket.takeOne(LINES_PER_SECOND) || true',
    LOG_TEST,
    'lines of one event beyond a rate are omitted and counted once a minute; other events have their lines',
  ],
  [
    'errors have a length',
    'src/domain/errors.ts',
    'super(atMost(message)',
    'super(message',
    'test/unit/domain/errors.test.ts',
    'message and hint of an error are cut, however it was thrown',
  ],
  [
    'reasons in the journal have a length',
    JOURNAL,
    'boundState(to)',
    'to',
    JOURNAL_TEST,
    'texts of others are cut: the function’s name and why a job was released',
  ],
  [
    'rejected claims have a number',
    JOURNAL,
    'this.#keepRejected(uuid);',
    'void uuid;',
    JOURNAL_TEST,
    'of claims that are rejected without end the oldest are deleted, with their history, and no other job',
  ],
  [
    'the journal is pruned in small transactions',
    'src/journal/prune-walks.ts',
    'const BATCH = 250;',
    'const BATCH = 1_000_000;',
    'test/unit/journal/maintenance.test.ts',
    'is pruned in small transactions, of jobs and their history, and of nothing else',
  ],
];

/** What keeps long lists and texts of others from stalling the agent or filling its disk. */
export const LONG_LISTS: readonly Mutation[] = mutationsOf(rows);
