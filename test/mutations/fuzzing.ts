import type { Mutation } from '../../scripts/mutations/mutation.ts';

const TEST = 'test/chaos/fuzzing-broker.test.ts';
const LIMITS = 'src/limits.ts';

type Row = readonly [protection: string, file: string, text: string, becomes: string, name: string];

const rows: readonly Row[] = [
  [
    'so many runs are kept',
    'src/broker/wire-run.ts',
    'return this.#runs.size > MAX_RUNS || this.#bytes > MAX_BYTES;',
    'return this.#bytes < 0;',
    'the market has up to a million runs',
  ],
  [
    'long work is done in slices',
    'src/lib/slices.ts',
    'await nextTurn();',
    'await Promise.resolve();',
    'the market has up to a million runs',
  ],
  [
    'a list has so many pages',
    'src/broker/read-list.ts',
    'seen.size >= LIMITS.broker.pages.max',
    'seen.size < 0',
    'pages never end',
  ],
  [
    'the code of a function has a limit',
    LIMITS,
    'code: {\n      max: 5 * 1024 * 1024,',
    'code: {\n      max: 1024 ** 3,',
    'fields of a resource are of any size',
  ],
  [
    'the arguments of a job have a limit',
    LIMITS,
    '    arguments: {\n      max: 4 * 1024 * 1024,',
    '    arguments: {\n      max: 1024 ** 3,',
    'strangers offer too much of all',
  ],
  [
    'so many open jobs of a run are kept',
    LIMITS,
    'openJobs: {\n      max: 100,',
    'openJobs: {\n      max: 1e9,',
    'strangers offer too much of all',
  ],
  [
    'an error is read up to a length',
    LIMITS,
    'refusal: {\n      max: 64 * 1024,',
    'refusal: {\n      max: 1024 ** 3,',
    'errors are of any size',
  ],
  [
    'the jobs of a run are filtered again',
    'src/broker/wire-job.ts',
    "if (item.kind === 'refused' || mayMatch(this.#filter, item.json)) {",
    'if (item.kind.length > 0) {',
    'items and keys are there twice, and others’ too',
  ],
  [
    'a stop waits for no call',
    'src/broker/transport.ts',
    'withDeadline({ ms: callMs, error, signal: call.signal }',
    'withDeadline({ ms: callMs, error, signal: new AbortController().signal }',
    'reports are not answered',
  ],
  [
    'no other origin is called',
    'src/broker/redirect.ts',
    'if (url.origin !== hop.url.origin) throw redirectedAway(hop.url, url);',
    '',
    'every status comes with every type',
  ],
  [
    'a page of a proxy is no answer to a report',
    'src/broker/answer.ts',
    'return FINAL.includes(status) && isJsonObject(text);',
    'return FINAL.includes(status);',
    'reports are not answered',
  ],
];

/** The bounds of what a broker sends, and what a broker that is broken must not do to jobs. */
export const FUZZING: readonly Mutation[] = rows.map(([protection, file, text, becomes, name]) => ({
  protection,
  file,
  text,
  becomes,
  test: { file: TEST, name },
}));
