import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const RECORDER = 'src/agent/market-history/market-recorder.ts';
const HISTORY = 'src/market-history/sqlite-market-history.ts';
const RECORDER_TEST = 'test/contract/market-history/recorder.test.ts';
const BESIDE_JOBS = 'test/contract/market-history/beside-jobs.test.ts';
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
];

/** What keeps the market history right, and jobs apart from it. */
export const MARKET_HISTORY: readonly Mutation[] = mutationsOf(rows);
