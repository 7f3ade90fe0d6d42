/** A run as looking at the market showed it. Times are milliseconds since the epoch, money US dollars per job and minute. */
export type SeenRun = {
  readonly run: string;
  readonly function: string;
  readonly image: string;
  readonly bid: number;
  /** It was open at both times, and most likely between them. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The most jobs of it that were open at the same time and that this host did not run. */
  readonly jobs: number;
};

/** A job that this host has run. */
export type OwnJob = {
  readonly run: string;
  readonly function: string;
  readonly image: string;
  readonly bid: number;
  readonly from: number;
  readonly until: number;
  readonly isPaid: boolean;
  readonly earned: number;
};

/** What is known of a market over a time. */
export type Observed = {
  readonly from: number;
  readonly until: number;
  readonly slots: number;
  readonly seen: readonly SeenRun[];
  readonly own: readonly OwnJob[];
};

/** How a job of others would have gone here: nobody knows, so it is drawn from what is known of its like. */
export type Imputed = { readonly ms: number; readonly isPaid: boolean };

/** So many jobs of a function say more about it than those of its image, and these more than all. */
const ENOUGH = 5;

/**
 * Draws how a job of a function would have gone, from this host's own jobs of the function, else of its image, else of all.
 * `random` answers from 0 up to but not including 1.
 */
export class Imputation {
  readonly #byFunction: ReadonlyMap<string, readonly OwnJob[]>;
  readonly #byImage: ReadonlyMap<string, readonly OwnJob[]>;
  readonly #all: readonly OwnJob[];

  constructor(own: readonly OwnJob[]) {
    this.#byFunction = Map.groupBy(own, (job) => job.function);
    this.#byImage = Map.groupBy(own, (job) => job.image);
    this.#all = own;
  }

  /** Undefined: this host has not run a single job. */
  draw(run: Pick<SeenRun, 'function' | 'image'>, random: () => number): Imputed | undefined {
    const like = [this.#byFunction.get(run.function), this.#byImage.get(run.image)].find(
      (jobs) => (jobs?.length ?? 0) >= ENOUGH,
    );
    const jobs = like ?? this.#all;
    const job = jobs[Math.floor(random() * jobs.length)];
    return job && { ms: job.until - job.from, isPaid: job.isPaid };
  }
}
