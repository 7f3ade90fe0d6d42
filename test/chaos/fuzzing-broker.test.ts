import { expect, test } from 'vitest';
import { printFigures } from '../support/chaos/figures.ts';
import { amount, LONG, SEED } from '../support/chaos/length.ts';
import { describeCgroup } from '../support/fuzz/describe-cgroup.ts';
import type { Fuzzer } from '../support/fuzz/front.ts';
import { type FuzzOptions, type FuzzPlan, fuzz, type Place, type Verdict } from '../support/fuzz/fuzz.ts';
import * as fuzzers from '../support/fuzz/fuzzers.ts';
import { MadeUpMarket } from '../support/fuzz/made-up-market.ts';

/** The agent's loop may stand still so long. */
const MAX_LAG_MS = 200;
/** And so long where it waited for something else, since not only this test may use the machine. */
const MAX_BLOCKED_MS = LONG ? MAX_LAG_MS : 2_000;
const MAX_END_MS = 1_000;
const MAX_MEMORY_BYTES = 300e6;
const MAX_LOG_BYTES = 5e6;

type Make = (place: Place) => FuzzPlan;

const only =
  (make: (place: Place) => Fuzzer): Make =>
  (place) => ({ fuzzer: make(place) });

const strangers: Make = ({ started }) => {
  const runs = {
    plain: 100,
    parameters: 20,
    'many-jobs': 2,
    code: 5,
    names: 20,
    image: 2,
    gpu: 2,
    arguments: 2,
  };
  return new MadeUpMarket({ runs, bytes: 2.4e6, argumentBytes: 100e6, jobs: 1e6, gpus: 3e5 }, started);
};

const everything = only((place) =>
  fuzzers.anyOf(
    fuzzers.hugeItems({ bytes: 1e6 }),
    fuzzers.longLists({ items: 1e4 }),
    fuzzers.hugeErrors({ bytes: 1e6 }),
    fuzzers.oddTypes(),
    fuzzers.oldAnswers(),
    fuzzers.duplicates(),
    fuzzers.delays(),
    fuzzers.statuses(place),
    fuzzers.headers(),
  ),
);

/** What goes wrong, and the seed by which it does in the short form. */
const KINDS: readonly (readonly [name: string, seed: number, Make, FuzzOptions?])[] = [
  ['lists are of any length', 1, only(() => fuzzers.longLists()), { fromTheStart: true }],
  ['items of lists are of any size', 1, only(() => fuzzers.hugeItems())],
  [
    'the market has up to a million runs',
    1,
    only(() => fuzzers.hugeMarket({ runs: LONG ? 1e6 : 1e5 })),
    { worksMeanwhile: true, restart: true },
  ],
  ['pages never end', 1, only(fuzzers.endlessPages), { worksMeanwhile: true }],
  ['fields of a resource are of any size', 2, only(() => fuzzers.hugeResources())],
  ['values are as long as may be', 2, only(fuzzers.longestValues)],
  ['they are from the start', 1, only(fuzzers.longestValues), { fromTheStart: true }],
  ['strangers offer too much of all', 1, strangers, { worksMeanwhile: true }],
  ['errors are of any size', 1, only(() => fuzzers.hugeErrors())],
  ['fields, items and answers are of other types', 1, only(fuzzers.oddTypes)],
  ['answers are old, and lists shuffled or cut', 1, only(fuzzers.oldAnswers)],
  ['items and keys are there twice, and others’ too', 1, only(fuzzers.duplicates)],
  ['answers come late, in drops, by half or never', 1, only(fuzzers.delays)],
  ['every status comes with every type', 1, only(fuzzers.statuses)],
  ['headers are huge, twice there or false', 1, only(fuzzers.headers)],
  ['reports are not answered', 1, only(fuzzers.lostReports), { restart: true }],
  ['anything goes wrong from the start', 1, everything, { fromTheStart: true }],
];

/** The seeds of a kind: in the long form, and where one is given by CHAOS_SEED, not the kind's own. */
function seedsOf(own: number): readonly number[] {
  const first = LONG || (process.env['CHAOS_SEED'] ?? '') !== '' ? SEED : own;
  return Array.from({ length: amount('FUZZ_SEEDS', 1, 12) }, (_, index) => first + index);
}

describeCgroup(
  'an agent stays quick and small, ends when asked to, and runs and reports each job once where',
  () => {
    const rows = KINDS.flatMap(([name, own, make, options]) =>
      seedsOf(own).map((seed) => [name, seed, make, options] as const),
    );
    test.each(rows)('%s', async (name, seed, make, options) => {
      const verdict = await fuzz(seed, make, options);
      const { figures, problems: _, ...measured } = verdict;
      printFigures(`fuzz-${name.replaceAll(/\W+/g, '-')}-${seed}`, { ...measured, ...figures });
      expect(violations(verdict)).toEqual([]);
    });
  },
);

/** What is not as it has to be. */
function violations({
  blockedMs,
  computedMs,
  endMs,
  heldBytes,
  logBytes,
  problems,
}: Verdict): readonly string[] {
  const limits: readonly (readonly [string, number, number])[] = [
    ['ms of computing without an answer', computedMs, MAX_LAG_MS],
    ['ms without an answer', blockedMs, MAX_BLOCKED_MS],
    ['bytes of memory', heldBytes, MAX_MEMORY_BYTES],
    ['ms from SIGTERM to the end', endMs, MAX_END_MS],
    ['bytes of log', logBytes, MAX_LOG_BYTES],
  ];
  const beyond = limits.filter(([, value, max]) => value >= max);
  return [...problems, ...beyond.map(([what, value, max]) => `${value} ${what}, less than ${max} allowed`)];
}
