/** A stretch of time in milliseconds of the wall clock; `until` is not included. */
export type TimeSpan = { readonly from: number; readonly until: number };

/** A run that appeared on the market. Times are milliseconds of the wall clock, the bid US dollars per job and minute. */
export type NewRun = {
  readonly id: number;
  readonly run: string;
  readonly function: string;
  /** The catalogue's uuid of the smallest sufficient GPU; null: any, or none. */
  readonly baseGpu: string | null;
  readonly bid: number;
  readonly jobs: number;
  readonly firstSeen: number;
};

/** A run that was open when the market was polled last. */
export type OpenInterval = Omit<NewRun, 'firstSeen'>;

/** What a poll shows that the one before did not. */
export type MarketChanges = {
  readonly began: readonly NewRun[];
  /** Runs with more jobs than were known. */
  readonly grew: readonly Pick<NewRun, 'id' | 'jobs'>[];
  /** The ids of runs that are no longer open. */
  readonly ended: readonly number[];
  /** What the broker calls the smallest sufficient GPUs of the runs that began, by the catalogue's uuid. */
  readonly gpuNames: ReadonlyMap<string, string>;
};

/** Whether an offer could take jobs while the market was polled: `paused` by the owner, `offline` for another reason. */
export type OfferState = 'offline' | 'online' | 'paused';

/** What the offers did at an instant. `isSeen`: the market was polled then. */
export type MarketPoll = {
  readonly at: number;
  readonly isSeen: boolean;
  /** Only runs that the broker lists for this host's instances were seen. */
  readonly isFiltered: boolean;
  readonly offers: ReadonlyMap<string, OfferState>;
};

/** What is known of a function; `image` null: it cannot be run. */
export type KnownFunction = {
  readonly function: string;
  readonly image: string | null;
  readonly runtime: string;
  readonly requiresGpu: boolean;
};

/** A run that was on the market; of its function nothing is known where `known` is absent. */
export type PastRun = Omit<NewRun, 'id'> & {
  readonly lastSeen: number;
  readonly known: Omit<KnownFunction, 'function'> | undefined;
};

/** Runs of a time; `completeFrom`: before it there are more than were read. */
export type PastRuns = { readonly runs: readonly PastRun[]; readonly completeFrom: number };

/** How many offers of others asked a price at an instant. `gpu`: the catalogue's name, or `cpu`. */
export type AskCount = {
  readonly at: number;
  readonly gpu: string;
  readonly ask: number;
  readonly offers: number;
};

/** When an offer was in each state. */
export type Coverage = {
  /** When the market was first polled, as far as intervals are kept; undefined: never. */
  readonly knownFrom: number | undefined;
  readonly lastPoll: number | undefined;
  readonly online: readonly TimeSpan[];
  readonly paused: readonly TimeSpan[];
  readonly offline: readonly TimeSpan[];
};

/** Runs that appeared in an hour, of intervals that were pruned. `bid`: the lower end of its bucket. */
export type HistogramRow = {
  readonly hour: number;
  readonly baseGpu: string | null;
  readonly bid: number;
  readonly runs: number;
  readonly jobs: number;
  readonly openMinutes: number;
};

/** What was seen of the market, on disk and bounded. Each method throws STATE_DIR_UNUSABLE; a `yield` follows each small step. */
export interface MarketHistory {
  /** The runs that were open at the last poll, and an id that is greater than all. */
  open(): Generator<'long', { readonly open: readonly OpenInterval[]; readonly nextId: number }>;
  /** Writes a poll, and prunes what is too old for the size. Answers how many new runs had no room. */
  write(poll: MarketPoll, changes: MarketChanges): Generator<'long', number>;
  /** Some functions of recent runs of which nothing is known. */
  unknownFunctions(limit: number): readonly string[];
  learn(functions: readonly KnownFunction[], at: number): void;
  writeAsks(asks: readonly AskCount[]): Generator<'long', void>;
  /** Runs that were open at any time from one instant to another, the last seen first, at most so many. */
  observed(span: TimeSpan, limit: number): Generator<'long', PastRuns>;
  /** What others asked for one kind of GPU, oldest first. */
  asks(gpu: string, span: TimeSpan): readonly AskCount[];
  coverage(offer: string, span: TimeSpan): Coverage;
  histogram(span: TimeSpan): Generator<'long', readonly HistogramRow[]>;
}
