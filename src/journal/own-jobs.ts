import { z } from 'zod';
import { JOB_STATUS } from '../domain/job.ts';
import { marginalJoules } from '../domain/job-energy.ts';
import type { Access } from './access.ts';
import type { JobList } from './job-list.ts';
import type { SlimJob } from './job-summary.ts';

/** A job of this host as a replay needs it. Times are milliseconds of the wall clock. */
export type JournaledJob = {
  readonly job: string;
  readonly run: string;
  /** The function's uuid, or its name where an older agent ran the job. */
  readonly function: string;
  readonly image: string;
  readonly offer: string;
  /** US dollars per minute, when it was claimed. */
  readonly ask: number;
  /** Its slot was taken from its claim until it had ended; a job that runs has it until now. */
  readonly from: number;
  readonly until: number;
  readonly hasEnded: boolean;
  /** For how long the broker pays: 0 for one that failed, was released or has not ended. */
  readonly paidMs: number;
  /** What the ledger has of it. */
  readonly microDollars: number;
  /** What its GPU took above idle while it ran; undefined: not measured. */
  readonly energy: { readonly joules: number; readonly ms: number } | undefined;
};

const PAGE = 500;
/** A clock may have been set back, so the jobs are not quite in the order of their claims. */
const SLACK_MS = 86_400_000;

const EVENTS = 'SELECT state, at FROM job_history WHERE uuid = ? ORDER BY seq';
const LEDGER = 'SELECT micro_dollars FROM ledger_jobs WHERE job = ?';
const FUNCTION = 'SELECT function FROM job_functions WHERE job = ?';
const ENERGY = 'SELECT joules, idle_joules, covered_ms, ms FROM job_energy WHERE job = ?';

const eventRows = z.array(z.object({ state: z.string(), at: z.number() }));
const ledgerRow = z.object({ micro_dollars: z.number() });
const functionRow = z.object({ function: z.string() });
const energyRow = z.object({
  joules: z.number(),
  idle_joules: z.number(),
  covered_ms: z.number(),
  ms: z.number(),
});

/** The states in which a slot is free again. */
const ENDS: ReadonlySet<string> = new Set([
  'finished',
  'reported',
  'releasing',
  'released',
  'cancelling',
  'dropped',
]);

/** This host's jobs in the journal, as far as it goes back. */
export class OwnJobs {
  readonly #access: Access;
  readonly #list: JobList;

  constructor(access: Access, list: JobList) {
    this.#access = access;
    this.#list = list;
  }

  /** The jobs whose slots were taken at any time from one instant to another, newest first. A `yield` follows each small read. */
  *between(from: number, until: number): Generator<'long', readonly JournaledJob[]> {
    const found: JournaledJob[] = [];
    for (let before: number | undefined; ; ) {
      const page = yield* this.#list.page({ limit: PAGE, before });
      for (const job of page.jobs) {
        const journaled = this.#journaled(job, until);
        if (journaled !== undefined && journaled.until >= from && journaled.from < until)
          found.push(journaled);
        yield 'long';
      }
      const isPast = page.jobs.length > 0 && page.jobs.every((job) => job.claimedAt < from - SLACK_MS);
      if (page.next === undefined || isPast) return found;
      before = page.next;
    }
  }

  /** Undefined: the claim was never won. */
  #journaled(job: SlimJob, now: number): JournaledJob | undefined {
    const { prepared, read } = this.#access;
    const all = eventRows.parse(read(() => prepared(EVENTS).all(job.uuid)));
    const events = all.slice(all.findLastIndex(({ state }) => state === 'claiming') + 1);
    const isWon = job.state.name === 'reported' || events.some(({ state }) => state === 'claimed');
    if (!isWon) return undefined;
    const { durationMs = 0, name, status } = job.state;
    const hasEnded = ENDS.has(name);
    const endedAt = events.find(({ state }) => ENDS.has(state))?.at ?? job.claimedAt + durationMs;
    const isPaid = name === 'reported' && status !== JOB_STATUS.FAILED;
    return {
      job: job.uuid,
      run: job.run,
      function:
        functionRow.safeParse(read(() => prepared(FUNCTION).get(job.uuid))).data?.function ??
        job.functionName,
      image: job.image,
      offer: job.offerKey,
      ask: job.askPrice,
      from: job.claimedAt,
      until: Math.max(job.claimedAt, hasEnded ? endedAt : now),
      hasEnded,
      paidMs: isPaid ? durationMs : 0,
      microDollars: ledgerRow.safeParse(read(() => prepared(LEDGER).get(job.uuid))).data?.micro_dollars ?? 0,
      energy: this.#energyOf(job.uuid),
    };
  }

  #energyOf(job: string): JournaledJob['energy'] {
    const { prepared, read } = this.#access;
    const { data } = energyRow.safeParse(read(() => prepared(ENERGY).get(job)));
    if (data === undefined) return undefined;
    const { covered_ms: coveredMs, idle_joules: idleJoules, joules, ms } = data;
    const above = marginalJoules({ joules, idleJoules, coveredMs, ms, isEstimate: false });
    return above === undefined ? undefined : { joules: above, ms };
  }
}
