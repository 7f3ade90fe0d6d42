import type { MarketChanges, NewRun, OpenInterval } from '../../domain/ports/market-history.ts';
import type { Run } from '../../domain/run.ts';

/** What tells whether jobs of a run can be claimed still. */
export type ClaimableRun = Pick<OpenInterval, 'baseGpu' | 'bid' | 'run'>;

/** Whether a listed run has jobs to claim: `taken`: it has none, it only runs; `unknown`: this host cannot tell. */
export type Openness = (run: ClaimableRun) => 'open' | 'taken' | 'unknown';

/** A list of the market. `runs` undefined: the same as the last one. */
export type SeenList = {
  readonly runs: readonly Run[] | undefined;
  readonly isCut: boolean;
  readonly at: number;
  readonly openness: Openness;
};

type Known = OpenInterval & {
  jobs: number;
  /** The last poll that listed it. */
  poll: number;
  /** Its interval has ended, though it is listed: its jobs are taken. */
  isTaken: boolean;
};

type Changes = {
  readonly began: NewRun[];
  readonly grew: { id: number; jobs: number }[];
  readonly ended: number[];
  readonly gpuNames: Map<string, string>;
};

/** The runs that were open at the last poll, which tell what the next one changes. Kept in step with what is on disk. */
export class OpenRuns {
  readonly #runs = new Map<string, Known>();
  #nextId: number;
  #poll = 0;

  private constructor(nextId: number) {
    this.#nextId = nextId;
  }

  /** From the intervals that are open on disk. A `yield` follows each small step. */
  static *from({
    nextId,
    open,
  }: {
    readonly open: readonly OpenInterval[];
    readonly nextId: number;
  }): Generator<void, OpenRuns> {
    const runs = new OpenRuns(nextId);
    for (const known of open) {
      runs.#runs.set(known.run, { ...known, poll: 0, isTaken: false });
      yield;
    }
    return runs;
  }

  /**
   * What a list changes. A run with another bid is another one for buyers and hosts, so its interval ends. Of a list that is
   * cut, runs with lower bids than it shows are taken to be open still. A `yield` follows each small step.
   */
  *see({ at, isCut, openness, runs }: SeenList): Generator<void, MarketChanges> {
    this.#poll += 1;
    const changes: Changes = { began: [], grew: [], ended: [], gpuNames: new Map() };
    let lowest = Number.POSITIVE_INFINITY;
    for (const run of runs ?? []) {
      lowest = Math.min(lowest, run.bidPrice);
      this.#seeRun(run, at, openness, changes);
      yield;
    }
    for (const known of this.#runs.values()) {
      const isListed = runs === undefined || known.poll === this.#poll || (isCut && known.bid <= lowest);
      if (!isListed) this.#runs.delete(known.run);
      // A run that came after the offers' own polls is given until the next poll to show up in them.
      const isOver = !isListed || (!isNew(known, changes) && openness(known) === 'taken');
      if (isOver && !known.isTaken) {
        changes.ended.push(known.id);
        known.isTaken = true;
      } else if (known.isTaken && isListed && openness(known) === 'open') this.#begin(known, at, changes);
      yield;
    }
    return changes;
  }

  /** Ends all intervals: the clock was set back, so that no time can follow theirs. A `yield` follows each small step. */
  *endAll(): Generator<void, readonly number[]> {
    const ids: number[] = [];
    for (const { id, isTaken, run } of this.#runs.values()) {
      if (!isTaken) ids.push(id);
      this.#runs.delete(run);
      yield;
    }
    return ids;
  }

  #seeRun(run: Run, at: number, openness: Openness, changes: Changes): void {
    const { baseGpu, bidPrice: bid, functionUuid, numJobs: jobs, uuid } = run;
    const known = this.#runs.get(uuid);
    if (known !== undefined && known.bid === bid) {
      known.poll = this.#poll;
      if (jobs <= known.jobs || known.isTaken) return;
      known.jobs = jobs;
      changes.grew.push({ id: known.id, jobs });
      return;
    }
    if (known?.isTaken === false) changes.ended.push(known.id);
    if (baseGpu !== null) changes.gpuNames.set(baseGpu, run.baseGpuName);
    this.#begin({ run: uuid, function: functionUuid, baseGpu, bid, jobs }, at, changes);
  }

  #begin(run: Omit<OpenInterval, 'id'>, at: number, { began }: Changes): void {
    const { baseGpu, bid, jobs, run: uuid } = run;
    // One object for both: where all runs are new, more would keep the garbage collector busy for too long.
    const known = {
      run: uuid,
      function: run.function,
      baseGpu,
      bid,
      jobs,
      id: this.#nextId,
      firstSeen: at,
      poll: this.#poll,
      isTaken: false,
    };
    this.#nextId += 1;
    this.#runs.set(uuid, known);
    began.push(known);
  }
}

/** Whether a run appeared at this poll: the last one that began has the highest id. */
function isNew({ id }: Known, { began }: Changes): boolean {
  const [first] = began;
  return first !== undefined && id >= first.id;
}
