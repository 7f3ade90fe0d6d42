import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const PULLS = 'src/agent/images/own-pulls.ts';
const PULLS_TEST = 'test/unit/agent/images/own-pulls.test.ts';
const DEMAND = 'src/agent/images/image-demand.ts';
const DEMAND_TEST = 'test/unit/agent/images/image-demand.test.ts';
const TABLES = 'src/journal/image-tables.ts';
const TABLES_TEST = 'test/unit/journal/image-tables.test.ts';

const rows: readonly MutationRow[] = [
  [
    'a pull that another engine ended is not the agent’s',
    PULLS,
    '(await this.#engine(ref)) !== before',
    'false',
    PULLS_TEST,
    'an image counts as the owner’s where another engine answers by the end',
  ],
  [
    'a name that a pull gave to an image of somebody else does not make it the agent’s',
    PULLS,
    'this.#isOwn(before, namedId)',
    'true',
    PULLS_TEST,
    'a pull that gave another name to an image that %s is not',
  ],
  [
    'an engine without an id has no pulls of the agent',
    'src/domain/engine-identity.ts',
    'id === undefined || dataRoot === undefined ? undefined',
    'dataRoot === undefined ? undefined',
    PULLS_TEST,
    'an image counts as the owner’s where the engine names no id',
  ],
  [
    'a run counts once a day for its image',
    DEMAND,
    ' || this.#runs.has(run.uuid)',
    '',
    DEMAND_TEST,
    'counts each run once a day, by whatever name it asks for the image',
  ],
  [
    'the runs that are counted are bounded',
    DEMAND,
    'this.#runs.size >= LIMITS.broker.countedRuns.max || ',
    '',
    DEMAND_TEST,
    'runs beyond the limit of a day do not count before the next one',
  ],
  [
    'the images of a day are bounded on disk',
    TABLES,
    'prepared(FORGET_OF_DAY)',
    "prepared('SELECT ?, ?, ?, ?')",
    TABLES_TEST,
    'of too many images of a day those that say most are kept, and of other days all',
  ],
  [
    'pins are bounded',
    TABLES,
    'count >= LIMITS.journal.imagePins.max',
    'count < 0',
    TABLES_TEST,
    'pins beyond the limit are refused, and nothing of them is in the record',
  ],
  [
    'the id of an image is no name to pin',
    'src/agent/images/image-pins.ts',
    " || parsed.repository === 'sha256'",
    '',
    'test/unit/agent/images/host-images.test.ts',
    '%j is no image',
  ],
  [
    'no old figures of images are shown where the engine does not answer',
    'src/agent/images/image-totals.ts',
    '      this.#known = undefined;\n',
    '',
    'test/unit/agent/images/image-totals.test.ts',
    'an engine that does not answer leaves no old figures, and one that answers later new ones',
  ],
];

/** What is known of images. */
export const IMAGE_RECORDS: readonly Mutation[] = mutationsOf(rows);
