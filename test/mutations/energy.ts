import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const RECORDER = 'src/agent/gpu-health/rollup-recorder.ts';
const METER = 'src/agent/energy/energy-meter.ts';
const POWERS = 'src/agent/energy/measured-powers.ts';
const METER_TEST = 'test/unit/agent/energy/energy-meter.test.ts';
const JOURNAL_TEST = 'test/unit/journal/energy.test.ts';

const rows: readonly MutationRow[] = [
  [
    'a gap in which jobs come and go counts no more than any other',
    RECORDER,
    'const maxMs = MAX_GAP_MS - (last.readAt - last.seenAt);',
    'const maxMs = MAX_GAP_MS;',
    METER_TEST,
    'has no more of a gap in which jobs come and go than of any other',
  ],
  [
    'a GPU is not idle just after a job',
    POWERS,
    'if (since < (this.#busyAt.get(gpu) ?? Number.NEGATIVE_INFINITY) + SETTLE_MS) return;',
    '',
    METER_TEST,
    'idle is not what it takes just before and after jobs, nor more than half of its limit',
  ],
  [
    'the end of a job that is written again is the same',
    METER,
    'if (job.ended !== undefined) return job.ended;',
    '',
    METER_TEST,
    'is the same when the write of its end is tried again',
  ],
  [
    'a price that is not known costs not nothing',
    'src/journal/energy-days.ts',
    'const isUnpriced = Number(powerMicroDollars === undefined);',
    'const isUnpriced = 0;',
    JOURNAL_TEST,
    'is of the day on which they stopped, by GPU, function and image',
  ],
  [
    'another claim starts with no energy',
    'src/journal/sqlite-journal.ts',
    'this.energy.claimed(record.uuid);',
    '',
    JOURNAL_TEST,
    'starts again with another claim',
  ],
];

/** What keeps the energy of jobs true. */
export const ENERGY: readonly Mutation[] = mutationsOf(rows);
