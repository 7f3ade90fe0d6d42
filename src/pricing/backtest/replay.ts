import { Imputation, type Imputed, type Observed, type OwnJob, type SeenRun } from './observed.ts';

/** What would have been sold. Money is US dollars. */
export type Sales = {
  readonly jobs: number;
  readonly busyMs: number;
  readonly paidMs: number;
  readonly earned: number;
  /** Jobs that this host has not run in fact, so how they went is a guess. */
  readonly imputed: number;
};

/** The ask at a time. */
export type AskAt = (at: number) => number;

/** Jobs that could be claimed from one time to another. */
type Chance = {
  readonly bid: number;
  readonly from: number;
  readonly until: number;
  left: number;
  /** How it went in fact, where this host ran it. */
  readonly own: OwnJob | undefined;
  readonly run: Pick<SeenRun, 'function' | 'image'>;
};

/**
 * Sells the slots again on the market that was observed, at another ask: a free slot takes the best bid that is open, as the
 * agent does. A run that was open while this host could not take it, could have been taken for as long as it was seen. Pure.
 */
export function replay(observed: Observed, ask: AskAt, random: () => number): Sales {
  const chances = chancesOf(observed).toSorted((a, b) => a.from - b.from);
  const imputation = new Imputation(observed.own);
  const free = Array.from({ length: observed.slots }, () => observed.from);
  let open: Chance[] = [];
  let next = 0;
  const sales = { jobs: 0, busyMs: 0, paidMs: 0, earned: 0, imputed: 0 };
  for (let now = observed.from; now < observed.until; ) {
    for (let chance = chances[next]; chance !== undefined && chance.from <= now; chance = chances[next]) {
      open.push(chance);
      next += 1;
    }
    open = open.filter(({ left, until }) => left > 0 && until >= now);
    for (const [slot, since] of free.entries()) {
      if (since > now) continue;
      const price = ask(now);
      const best = bestOf(open, price);
      if (best === undefined) break;
      const went = best.own === undefined ? imputation.draw(best.run, random) : wentAs(best.own);
      if (went === undefined) break;
      best.left -= 1;
      free[slot] = now + went.ms;
      // What runs beyond the end counts as far as it was observed, as the ledger's jobs do.
      const ms = Math.min(went.ms, observed.until - now);
      sales.jobs += 1;
      sales.busyMs += ms;
      sales.paidMs += went.isPaid ? ms : 0;
      sales.earned += went.isPaid ? (price * ms) / 60_000 : 0;
      sales.imputed += best.own === undefined ? 1 : 0;
    }
    now = nextMoment(now, free, chances[next]?.from ?? observed.until, observed.until);
  }
  return sales;
}

function bestOf(open: readonly Chance[], price: number): Chance | undefined {
  let best: Chance | undefined;
  for (const chance of open)
    if (chance.left > 0 && chance.bid >= price && (best === undefined || chance.bid > best.bid))
      best = chance;
  return best;
}

function wentAs(own: OwnJob): Imputed {
  return { ms: own.until - own.from, isPaid: own.isPaid };
}

/** Own jobs could be claimed when they were; what else was seen of their run is another chance. */
function chancesOf({ own, seen }: Observed): Chance[] {
  const spans = new Map(seen.map((run) => [run.run, run]));
  return [
    ...own.map((job) => ({
      bid: job.bid,
      from: spans.get(job.run)?.firstSeen ?? job.from,
      until: Math.max(job.from, spans.get(job.run)?.lastSeen ?? job.from),
      left: 1,
      own: job,
      run: job,
    })),
    ...seen.map((run) => ({
      bid: run.bid,
      from: run.firstSeen,
      until: run.lastSeen,
      left: run.jobs,
      own: undefined,
      run,
    })),
  ];
}

function nextMoment(now: number, free: readonly number[], arrival: number, end: number): number {
  let next = arrival > now ? arrival : end;
  for (const at of free) if (at > now && at < next) next = at;
  return next;
}
