import { LIMITS } from '../limits.ts';

/** By what earnings are summed. */
export const EARNINGS_BY = ['day', 'gpu', 'function', 'image'] as const;
export type EarningsBy = (typeof EARNINGS_BY)[number];

/** What the jobs of a day, GPU, function and image came to. All are whole numbers, so that sums do not depend on their order. */
export type EarningsPart = {
  /** Jobs that the broker has paid, and how much. */
  readonly jobs: number;
  readonly confirmedMicroDollars: number;
  /** Jobs whose reports the broker has not accepted yet, and what it should pay. */
  readonly pendingJobs: number;
  readonly pendingMicroDollars: number;
  /** Jobs that ended, paid or not; of how many of them the energy is not known, and of how many it is an estimate. */
  readonly endedJobs: number;
  readonly energyJoules: number;
  readonly unmeasuredJobs: number;
  readonly estimatedJobs: number;
  /** What the power of these jobs cost, and of how many that is not known. */
  readonly powerCostMicroDollars: number;
  readonly unpricedJobs: number;
};

export type PartKey = Readonly<Record<EarningsBy, string>>;

const NOTHING: EarningsPart = {
  jobs: 0,
  confirmedMicroDollars: 0,
  pendingJobs: 0,
  pendingMicroDollars: 0,
  endedJobs: 0,
  energyJoules: 0,
  unmeasuredJobs: 0,
  estimatedJobs: 0,
  powerCostMicroDollars: 0,
  unpricedJobs: 0,
};

/** The sums of a row or of a report. Money is in micro-dollars. Pending money is part of no other sum. */
export type EarningsSums = Pick<
  EarningsPart,
  'confirmedMicroDollars' | 'endedJobs' | 'estimatedJobs' | 'jobs' | 'pendingJobs' | 'pendingMicroDollars'
> & {
  /** Of the jobs that were measured; null: none was. */
  readonly energyJoules: number | null;
  /** Of the jobs of which it is known; null: of none. */
  readonly powerCostMicroDollars: number | null;
  /**
   * Confirmed less the known power cost, which is the most that it can be where `unpricedJobs` is not 0; null: the power cost
   * is known of no job of the report.
   */
  readonly netMicroDollars: number | null;
  /** The jobs of which energy or power cost are not known. */
  readonly unmeasuredJobs: number;
  readonly unpricedJobs: number;
};

/** `key`: a day, the uuid of a GPU or `cpu`, or a name; null: what has no name of its own because there are too many. */
export type EarningsRow = EarningsSums & { readonly key: string | null };

/** What GPUs took while they had no job. */
export type IdleEnergy = {
  readonly ms: number;
  /** Null: nothing was measured. */
  readonly energyJoules: number | null;
  readonly powerCostMicroDollars: number | null;
};

export type EarningsReport = {
  readonly by: EarningsBy;
  readonly rows: readonly EarningsRow[];
  readonly total: EarningsSums;
  readonly idle: IdleEnergy;
};

/** Sums parts to rows. Every sum of money is the sum of the rows’, to the micro-dollar. */
export class EarningsTable {
  readonly #by: EarningsBy;
  readonly #rows = new Map<string, EarningsPart>();
  #idle: { ms: number; joules: number; microDollars: number | null } = {
    ms: 0,
    joules: 0,
    microDollars: null,
  };

  constructor(by: EarningsBy) {
    this.#by = by;
  }

  add(key: PartKey, part: Partial<EarningsPart>): void {
    const name = key[this.#by];
    this.#rows.set(name, plus(this.#rows.get(name) ?? NOTHING, part));
  }

  addIdle(ms: number, joules: number, microDollars: number | null): void {
    const { microDollars: before } = this.#idle;
    this.#idle = {
      ms: this.#idle.ms + ms,
      joules: this.#idle.joules + joules,
      microDollars: microDollars === null ? before : (before ?? 0) + microDollars,
    };
  }

  end(): EarningsReport {
    const total = [...this.#rows.values()].reduce(plus, NOTHING);
    const isPriced = costOf(total) !== null;
    const { joules, microDollars, ms } = this.#idle;
    return {
      by: this.#by,
      rows: this.#bounded().map(([key, part]) => ({
        key: key === '' ? null : key,
        ...sumsOf(part, isPriced),
      })),
      total: sumsOf(total, isPriced),
      idle: { ms, energyJoules: ms === 0 ? null : joules, powerCostMicroDollars: microDollars },
    };
  }

  /** Days in their order, others by what they earned; beyond the limit one row without a name, which comes last. */
  #bounded(): readonly (readonly [string, EarningsPart])[] {
    const named = [...this.#rows].filter(([key]) => key !== '');
    if (this.#by === 'day') return named.toSorted(byKey);
    named.sort((a, b) => worthOf(b[1]) - worthOf(a[1]) || byKey(a, b));
    const rest = named.splice(LIMITS.journal.earningsRows.max).map(([, part]) => part);
    const unnamed = this.#rows.get('');
    if (unnamed !== undefined) rest.push(unnamed);
    return rest.length === 0 ? named : [...named, ['', rest.reduce(plus, NOTHING)]];
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function plus(a: EarningsPart, b: Partial<EarningsPart>): EarningsPart {
  return {
    jobs: a.jobs + (b.jobs ?? 0),
    confirmedMicroDollars: a.confirmedMicroDollars + (b.confirmedMicroDollars ?? 0),
    pendingJobs: a.pendingJobs + (b.pendingJobs ?? 0),
    pendingMicroDollars: a.pendingMicroDollars + (b.pendingMicroDollars ?? 0),
    endedJobs: a.endedJobs + (b.endedJobs ?? 0),
    energyJoules: a.energyJoules + (b.energyJoules ?? 0),
    unmeasuredJobs: a.unmeasuredJobs + (b.unmeasuredJobs ?? 0),
    estimatedJobs: a.estimatedJobs + (b.estimatedJobs ?? 0),
    powerCostMicroDollars: a.powerCostMicroDollars + (b.powerCostMicroDollars ?? 0),
    unpricedJobs: a.unpricedJobs + (b.unpricedJobs ?? 0),
  };
}

function worthOf(part: EarningsPart): number {
  return part.confirmedMicroDollars + part.pendingMicroDollars;
}

/** The known power cost; null: jobs ended, and it is known of none. */
function costOf({ endedJobs, powerCostMicroDollars, unpricedJobs }: EarningsPart): number | null {
  return endedJobs > unpricedJobs || endedJobs === 0 ? powerCostMicroDollars : null;
}

/** The measured energy; null: jobs ended, and it is known of none. */
function energyOf({ endedJobs, energyJoules, unmeasuredJobs }: EarningsPart): number | null {
  return endedJobs > unmeasuredJobs || endedJobs === 0 ? energyJoules : null;
}

function sumsOf(part: EarningsPart, isPriced: boolean): EarningsSums {
  const powerCostMicroDollars = costOf(part);
  return {
    ...part,
    energyJoules: energyOf(part),
    powerCostMicroDollars,
    netMicroDollars: isPriced ? part.confirmedMicroDollars - (powerCostMicroDollars ?? 0) : null,
  };
}
