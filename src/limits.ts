/*
 * The bounds of what the agent takes from others. Code imports them from here, and `docs/limits.md` is generated from
 * here, so each is written once.
 */

/** A bound of something that comes from outside. */
export type Limit = {
  readonly max: number;
  readonly unit: 'bytes' | 'characters' | 'items' | 'levels' | 'ms';
  /** What is bounded. */
  readonly of: string;
  /** What happens to what is larger. */
  readonly beyond: string;
};

type Limits = Readonly<Record<string, Limit>>;

/** By who sends it; `log`: in any line of the log. */
export const LIMITS = {
  broker: {
    errorText: {
      max: 500,
      unit: 'characters',
      of: 'the broker’s text in an error message',
      beyond: 'cut',
    },
    pages: {
      max: 1_000,
      unit: 'items',
      of: 'pages of a list',
      beyond: 'the list is refused: its pages never end',
    },
    openJobs: {
      max: 100,
      unit: 'items',
      of: 'open jobs of a run that are remembered for claims',
      beyond: 'listed again once those are claimed',
    },
    skipLines: {
      max: 100,
      unit: 'items',
      of: 'skipped runs with a log line each, at once and per offer; then one a second',
      beyond: 'counted by reason, once a minute',
    },
    literalDepth: {
      max: 200,
      unit: 'levels',
      of: 'open brackets in a job’s arguments, as in CPython',
      beyond: 'the arguments are unreadable',
    },
  },
  job: {},
  image: {},
  engine: {},
  host: {
    programOutput: {
      max: 8 * 1024 * 1024,
      unit: 'bytes',
      of: 'the output of a program that the agent runs, such as nvidia-smi',
      beyond: 'the program is stopped and counts as failed',
    },
    tokenFile: { max: 4096, unit: 'bytes', of: 'the token file', beyond: 'the configuration is refused' },
  },
  log: {
    text: { max: 2_000, unit: 'characters', of: 'a message or field of the log', beyond: 'cut' },
    line: { max: 16_000, unit: 'characters', of: 'all texts of a line of the log', beyond: 'cut' },
    items: { max: 100, unit: 'items', of: 'a list in a line of the log', beyond: 'left out' },
    depth: { max: 8, unit: 'levels', of: 'nesting in a line of the log', beyond: 'left out' },
    sameEvent: {
      max: 200,
      unit: 'items',
      of: 'lines of one event at once, then two a second; not of jobs that ran here',
      beyond: 'counted, once a minute (`log-lines-omitted`)',
    },
  },
} as const satisfies Readonly<Record<string, Limits>>;
