import { JOB_STATUS } from '../../../domain/job.ts';
import { hasEnded } from './job-change.ts';
import type { JobRow } from './rows.ts';
import { Table } from './table.ts';

/** The jobs of a run and how many are open. */
type RunJobs = { readonly uuids: string[]; created: number; unfinished: number };

/** All jobs, indexed by run and by holder because there may be many. */
export class Jobs {
  readonly #rows = new Table<JobRow>();
  readonly #byRun = new Map<string, RunJobs>();
  readonly #byHolder = new Map<string, Set<string>>();

  /** Throws a not-found Refusal. */
  get(uuid: string): JobRow {
    return this.#rows.get(uuid);
  }

  find(uuid: string): JobRow | undefined {
    return this.#rows.find(uuid);
  }

  all(): readonly JobRow[] {
    return this.#rows.all();
  }

  /** In the order of the run's parameters. */
  ofRun(run: string): readonly JobRow[] {
    return (this.#byRun.get(run)?.uuids ?? []).map((uuid) => this.#rows.get(uuid));
  }

  /** The jobs that are IN_PROGRESS at this instance. */
  heldBy(instance: string): readonly JobRow[] {
    return [...(this.#byHolder.get(instance) ?? [])].map((uuid) => this.#rows.get(uuid));
  }

  /** The instances that have jobs. */
  holders(): Iterable<string> {
    return this.#byHolder.keys();
  }

  /** How many jobs of the run can be claimed, and how many have not ended. */
  open(run: string): { readonly created: number; readonly unfinished: number } {
    return this.#byRun.get(run) ?? { created: 0, unfinished: 0 };
  }

  add(job: JobRow): void {
    const ofRun = this.#byRun.get(job.run) ?? { uuids: [], created: 0, unfinished: 0 };
    this.#byRun.set(job.run, ofRun);
    ofRun.uuids.push(job.uuid);
    this.#rows.put(job);
    this.#count(job, 1);
  }

  /** Replaces the row with the same uuid. Throws a not-found Refusal. */
  replace(job: JobRow): void {
    this.#count(this.#rows.get(job.uuid), -1);
    this.#rows.put(job);
    this.#count(job, 1);
  }

  removeRun(run: string): void {
    for (const job of this.ofRun(run)) {
      this.#count(job, -1);
      this.#rows.remove(job.uuid);
    }
    this.#byRun.delete(run);
  }

  #count(job: JobRow, by: 1 | -1): void {
    const ofRun = this.#byRun.get(job.run);
    if (ofRun === undefined) return;
    if (job.status === JOB_STATUS.CREATED) ofRun.created += by;
    if (!hasEnded(job)) ofRun.unfinished += by;
    if (job.status === JOB_STATUS.IN_PROGRESS && job.instance !== null) {
      this.#hold(job.instance, job.uuid, by === 1);
    }
  }

  #hold(instance: string, job: string, held: boolean): void {
    const jobs = this.#byHolder.get(instance) ?? new Set();
    if (held) jobs.add(job);
    else jobs.delete(job);
    if (jobs.size === 0) this.#byHolder.delete(instance);
    else this.#byHolder.set(instance, jobs);
  }
}
