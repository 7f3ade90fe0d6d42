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
  /** The catalogue's uuid of the smallest sufficient GPU; null or absent: any. */
  readonly baseGpu?: string | null;
  /** This host cannot run it, whatever the ask: its image is not allowed, its runtime is not supported. */
  readonly isUnsuitable?: boolean;
};

/** A job that this host has run. */
export type OwnJob = {
  readonly run: string;
  readonly function: string;
  readonly image: string;
  readonly bid: number;
  /** Its slot was taken from its claim until its end. */
  readonly from: number;
  readonly until: number;
  readonly isPaid: boolean;
  /** US dollars. */
  readonly earned: number;
  /** The ask when it was claimed; absent: not known. */
  readonly ask?: number;
  /** For how long the broker paid; absent: from `from` to `until`. */
  readonly paidMs?: number;
};

/** How many jobs could run at the same time, over a stretch of time. */
export type Capacity = { readonly from: number; readonly until: number; readonly slots: number };

/** What is known of a market over a time. */
export type Observed = {
  readonly from: number;
  readonly until: number;
  readonly slots: number;
  readonly seen: readonly SeenRun[];
  readonly own: readonly OwnJob[];
  /**
   * When jobs could be taken and the market was looked at: not while the agent was paused, offline or stopped. Absent: all
   * of the time, with `slots`.
   */
  readonly capacity?: readonly Capacity[];
};

/** How a job of others would have gone here: nobody knows, so it is drawn from what is known of its like. */
export type Imputed = { readonly ms: number; readonly paidMs: number };

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

  /** The own jobs that a job of the function is like; empty: this host has not run a single job. */
  like(run: Pick<SeenRun, 'function' | 'image'>): readonly OwnJob[] {
    const like = [this.#byFunction.get(run.function), this.#byImage.get(run.image)].find(
      (jobs) => (jobs?.length ?? 0) >= ENOUGH,
    );
    return like ?? this.#all;
  }

  /** Undefined: this host has not run a single job. */
  draw(run: Pick<SeenRun, 'function' | 'image'>, random: () => number): Imputed | undefined {
    const jobs = this.like(run);
    const job = jobs[Math.floor(random() * jobs.length)];
    return job && wentAs(job);
  }
}

/** How an own job went. */
export function wentAs(job: OwnJob): Imputed {
  const ms = Math.max(0, job.until - job.from);
  return { ms, paidMs: job.isPaid ? Math.min(Math.max(0, job.paidMs ?? ms), ms) : 0 };
}
