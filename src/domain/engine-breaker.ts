/**
 * Whether jobs may be claimed, as far as the engine's ability to run them is known.
 *
 *     untested --test passed--> closed --failures--> open --test passed--> half-open --a job went well--> closed
 *                                                      ^--- the job failed through this host ---'
 *
 * Kills open it by their number alone, also while it is half-open.
 */
export type EngineBreaker = {
  readonly state: 'untested' | 'closed' | 'open' | 'half-open';
  /** Whether a job has gone well since the start, or since a job failed through this host. */
  readonly confirmed: boolean;
  /** The runs of the jobs that failed through this host in a row, latest last. */
  readonly failures: readonly string[];
  /** The runs whose jobs were killed, nobody knows by whom, while no job had gone well, since kills last opened it. */
  readonly killed: readonly string[];
  /** When it opened within the last hour, by the monotonic clock in milliseconds. */
  readonly openings: readonly number[];
};

/** At the start, before any test container. */
export const UNTESTED: EngineBreaker = {
  state: 'untested',
  confirmed: false,
  failures: [],
  killed: [],
  openings: [],
};

/** So many failures in a row open it, if they are of several runs: one run may be at fault itself. */
const THRESHOLD = 3;
/** So many open it even where they are of one run. */
const THRESHOLD_ONE_RUN = 4;
/**
 * Jobs of so many runs that were killed open it, while none has gone well. A job can kill itself, so that of fewer runs, or
 * after a job that went well, nothing follows.
 */
const THRESHOLD_KILLED = 3;
/** Jobs that may start side by side before one has gone well. */
const UNCONFIRMED_JOBS = 3;
const HOUR_MS = 3_600_000;

/** The breaker after a test container that passed, or that this host has none of. Pure. */
export function afterTest(breaker: EngineBreaker): EngineBreaker {
  if (breaker.state === 'untested') return { ...breaker, state: 'closed' };
  return breaker.state === 'open' ? { ...breaker, state: 'half-open' } : breaker;
}

/** The breaker after a job of this run that failed through this host. Pure. */
export function afterFailure(breaker: EngineBreaker, run: string, now: number): EngineBreaker {
  if (breaker.state === 'untested' || breaker.state === 'open') return breaker;
  const failures = [...breaker.failures, run].slice(-THRESHOLD_ONE_RUN);
  const several = failures.length >= THRESHOLD && new Set(failures).size > 1;
  const opens = breaker.state === 'half-open' || several || failures.length >= THRESHOLD_ONE_RUN;
  if (!opens) return { ...breaker, confirmed: false, failures };
  const openings = [...recent(breaker, now), now];
  return { ...breaker, state: 'open', confirmed: false, failures, openings };
}

/**
 * The breaker after a job of this run that was killed, by itself or by another program. Pure. As test containers do not show
 * what kills jobs, the pause is at least that of a second opening. It takes as many runs to open it again: a job can kill
 * itself, and one of a stranger's would keep this host idle for ever.
 */
export function afterKill(breaker: EngineBreaker, run: string, now: number): EngineBreaker {
  if (breaker.state === 'untested' || breaker.state === 'open' || breaker.confirmed) return breaker;
  const killed = [...new Set([...breaker.killed, run])];
  if (killed.length < THRESHOLD_KILLED) return { ...breaker, killed };
  const before = recent(breaker, now);
  return { ...breaker, state: 'open', killed: [], openings: [...(before.length > 0 ? before : [now]), now] };
}

function recent({ openings }: EngineBreaker, now: number): readonly number[] {
  return openings.filter((at) => now - at < HOUR_MS);
}

/** The breaker after a job that ended by its own doing, or has run for a while. Pure. */
export function afterSuccess(breaker: EngineBreaker): EngineBreaker {
  if (breaker.state === 'untested' || breaker.state === 'open') return breaker;
  return { ...breaker, state: 'closed', confirmed: true, failures: [], killed: [] };
}

/**
 * How many more jobs may be claimed, while so many have not shown yet how they go; `started` of them run. Pure. A host
 * that cannot run jobs fails one job after the other and not all slots at once.
 */
export function claimRoom(
  { failures, confirmed, killed, state }: EngineBreaker,
  pending: { readonly claimed: number; readonly started: number },
): number {
  if (state === 'untested' || state === 'open') return 0;
  if (confirmed) return Number.POSITIVE_INFINITY;
  const failed = failures.length + killed.length > 0;
  const oneByOne = state === 'half-open' || failed || pending.started === 0;
  return Math.max((oneByOne ? 1 : UNCONFIRMED_JOBS) - pending.claimed, 0);
}
