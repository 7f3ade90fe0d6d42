import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const RECORDER = 'src/agent/market-history/market-recorder.ts';
const HISTORY = 'src/market-history/sqlite-market-history.ts';
const RECORDER_TEST = 'test/contract/market-history/recorder.test.ts';
const BESIDE_JOBS = 'test/contract/market-history/beside-jobs.test.ts';
const HISTORY_TEST = 'test/unit/market-history/market-history.test.ts';
const FULL_DISK = 'test/unit/market-history/full-disk.test.ts';

const rows: readonly MutationRow[] = [
  [
    'a list that is the same ends no interval',
    RECORDER,
    'runs: answer.unchanged ? undefined : answer.runs,',
    'runs: answer.unchanged ? [] : answer.runs,',
    RECORDER_TEST,
    'goes on where the broker says that its list is the same, and the time counts as known',
  ],
  [
    'a broker that refuses the whole list is not asked again on the same day',
    RECORDER,
    'this.#refusedUntil = this.#deps.clock.monotonic() + REFUSED_MS;',
    '',
    BESIDE_JOBS,
    '%i: is not asked again, and jobs go on',
  ],
  [
    'a disk that stays full is named once',
    RECORDER,
    "if (this.#problems.isNew(code, 'disk'))",
    "if (this.#problems.isNew(code, 'disk') || true)",
    BESIDE_JOBS,
    'that is full from the start: says so once, jobs go on, and it begins when there is room',
  ],
  [
    'what was not written is not taken for written',
    HISTORY,
    'this.#release();\n      if',
    'if',
    FULL_DISK,
    'leaves a gap in the coverage, and what follows is known',
  ],
  [
    'a poll counts once all of it is written',
    HISTORY,
    'const before = this.#step(({ coverage }) => coverage.lastPoll) ?? poll.at;',
    'const before = this.#step(({ coverage }) => coverage.lastPoll) ?? poll.at; this.#transaction(({ coverage }) => coverage.add(poll));',
    'test/contract/market-history/killed.test.ts',
    'the market history opens after each kill, and is right to the last poll that was written',
  ],
  [
    'many runs that were open before a restart stall nothing',
    'src/agent/market-history/open-runs.ts',
    'runs.#runs.set(known.run, { ...known, poll: 0, isTaken: false });\n      yield;',
    'runs.#runs.set(known.run, { ...known, poll: 0, isTaken: false });',
    'test/unit/market-history/open-runs.test.ts',
    'many open runs are read from disk in small steps',
  ],
  [
    'bids of strangers are sorted in small steps',
    'src/control/backtest-input.ts',
    'const byBid = yield* sortInSteps(runs, (a, b) => a.bid - b.bid);',
    'const byBid = runs.toSorted((a, b) => a.bid - b.bid);',
    'test/unit/control/backtest-input.test.ts',
    'many runs of strangers are gone through in small steps',
  ],
  [
    'a market history that cannot be read holds a strategy, and fails nothing',
    'src/compose-market-history.ts',
    "if (asAgentError(thrown).code === 'STATE_DIR_UNUSABLE') return undefined;",
    '',
    'test/unit/market-history/market-sight.test.ts',
    'a strategy knows nothing where the market history cannot be read',
  ],
  [
    'what this host asks is no ask of others',
    'src/agent/market-history/ask-recorder.ts',
    '.filter(({ instance }) => instance === undefined || !own.has(instance))',
    '',
    RECORDER_TEST,
    'has what others ask, and not what this host asks',
  ],
  [
    'a time without polls is not known',
    'src/market-history/coverage.ts',
    ' && at - before.until <= MAX_GAP_MS',
    '',
    HISTORY_TEST,
    'says when an offer could take jobs, was paused or offline; a time without polls is none',
  ],
  [
    'no interval goes on where the clock is set back',
    RECORDER,
    'at < this.#polledAt - SET_BACK_MS ? await inSlices(this.#open.endAll()) : []',
    '[]',
    HISTORY_TEST,
    'end where the clock is set back, and begin again',
  ],
  [
    'the history stays within its size',
    HISTORY,
    'yield* this.#makeRoom();\n    return leftOut;',
    'return leftOut;',
    HISTORY_TEST,
    'stays within its size with its log; the oldest runs become hourly sums',
  ],
];

/** What keeps the market history right, and jobs apart from it. */
export const MARKET_HISTORY: readonly Mutation[] = mutationsOf(rows);
