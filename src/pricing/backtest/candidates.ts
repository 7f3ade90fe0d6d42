import type { OpenRun } from '../../domain/run.ts';
import { Imputation, type Observed, type OwnJob, type SeenRun } from './observed.ts';
import { openRunOf, type Rules } from './rules.ts';

/** Polls are a minute apart. */
const SLACK_MS = 120_000;

/** Jobs that could be claimed from one instant to another. */
export type Candidate = {
  readonly open: OpenRun;
  readonly from: number;
  /** It was surely open until then. */
  readonly until: number;
  readonly jobs: number;
  /** How it went in fact, where this host ran it. */
  readonly own: OwnJob | undefined;
  /** Own jobs that it is like. */
  readonly like: readonly OwnJob[];
  /** Nobody saw it: it stands for what comes and goes between two polls. */
  readonly isUnseen: boolean;
};

/** Own jobs that were claimed before the time begins are none: they only have their slots. */
export function* candidatesOf(
  { from, own, seen, until }: Observed,
  rules: Rules,
): Generator<void, Candidate[]> {
  const imputation = new Imputation(own);
  const spans = yield* seenOfOwn({ own, seen });
  const found: Candidate[] = [];
  for (const [index, job] of own.entries()) {
    if (!(job.from >= from && job.from < until)) continue;
    const span = intervalAt(spans.get(job.run), job.from);
    const at = span?.firstSeen ?? job.from;
    const like = { ...job, baseGpu: span?.baseGpu ?? null, at };
    // Before the others of its run, in the order of the claims.
    const open = openRunOf(`${job.run}/0/${String(index).padStart(9, '0')}`, like, 1, rules);
    found.push({ open, from: at, until: job.from, jobs: 1, own: job, like: [], isUnseen: false });
    yield;
  }
  for (const run of seen) {
    if (run.isUnsuitable !== true && run.jobs > 0) found.push(candidateOf(run, imputation, rules));
    yield;
  }
  return found;
}

/** What was seen of the runs of own jobs, by run: an interval for each time that it was open. */
export function* seenOfOwn({
  own,
  seen,
}: Pick<Observed, 'own' | 'seen'>): Generator<void, ReadonlyMap<string, readonly SeenRun[]>> {
  const found = new Map<string, SeenRun[]>(own.map(({ run }) => [run, []]));
  for (const run of seen) {
    found.get(run.run)?.push(run);
    yield;
  }
  return found;
}

/** The interval in which a run was claimed: a claim may follow the last poll that saw it. Undefined: nobody saw it. Pure. */
export function intervalAt(intervals: readonly SeenRun[] | undefined, at: number): SeenRun | undefined {
  return intervals?.findLast((one) => one.firstSeen <= at && at <= one.lastSeen + SLACK_MS);
}

function candidateOf(run: SeenRun, imputation: Imputation, rules: Rules): Candidate {
  const open = openRunOf(`${run.run}/1/${run.firstSeen}`, { ...run, at: run.firstSeen }, run.jobs, rules);
  const { firstSeen, jobs, lastSeen } = run;
  return {
    open,
    from: firstSeen,
    until: lastSeen,
    jobs,
    own: undefined,
    like: imputation.like(run),
    isUnseen: false,
  };
}
