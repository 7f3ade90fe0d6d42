import { JOB_STATUS } from '../../../domain/job.ts';
import { whyIneligible } from './eligibility.ts';
import { changeJob, hasEnded, type JobRequest, unclaimed } from './job-change.ts';
import { Jobs } from './jobs.ts';
import { Leases } from './leases.ts';
import { invalidRequest } from './refusal.ts';
import type { InstanceRow, JobRow, RunRow } from './rows.ts';
import { RunList } from './run-list.ts';
import type { StoreContext } from './store-context.ts';
import { Table } from './table.ts';

/**
 * Runs and their jobs. `open` lists the runs that are unfinished, for buyers; `winnable` lists those of them that have a job
 * to claim, for instances.
 */
export class Market {
  readonly runs = new Table<RunRow>();
  readonly jobs = new Jobs();
  readonly open = new RunList();
  readonly winnable = new RunList();
  readonly leases: Leases;
  readonly #context: StoreContext;
  readonly #runsOfFunction = new Map<string, number>();
  #lastIncrementalId = 0;

  constructor(context: StoreContext, leaseSeconds: number | undefined) {
    this.#context = context;
    this.leases = new Leases(leaseSeconds);
  }

  /** Puts a run with one job per item of `jobArguments` on the market. */
  add(run: RunRow, jobArguments: readonly string[]): void {
    this.runs.put(run);
    this.#countRun(run, 1);
    for (const text of jobArguments) this.jobs.add(this.#newJob(run, text));
    this.#show(run);
    this.#context.events.emit({ kind: 'run-added', run });
  }

  /** Deletes the run with its jobs. Throws a Refusal while one is in progress, unless `evenInProgress`. */
  delete(uuid: string, evenInProgress: boolean): void {
    const run = this.runs.get(uuid);
    const running = this.jobs.ofRun(uuid).some((job) => job.status === JOB_STATUS.IN_PROGRESS);
    if (running && !evenInProgress) {
      throw invalidRequest('Some jobs of this run are in progress. Please wait until they are finished.');
    }
    this.runs.remove(uuid);
    this.#countRun(run, -1);
    this.jobs.removeRun(uuid);
    this.#show(run);
    this.#context.events.emit({ kind: 'run-deleted', run });
  }

  /** How many runs of the function there are. */
  runsOf(fn: string): number {
    return this.#runsOfFunction.get(fn) ?? 0;
  }

  /** Why the instance cannot win jobs of the run; undefined: it can. */
  whyIneligible(run: RunRow, instance: InstanceRow): string | undefined {
    const { functions, images, gpus } = this.#context;
    const image = functions.find(run.function)?.image;
    return whyIneligible(run, instance, {
      image: image === undefined ? undefined : images.find(image),
      baseGpu: run.baseGpu === null ? undefined : gpus.find(run.baseGpu),
      gpu: instance.gpu === null ? undefined : gpus.find(instance.gpu),
    });
  }

  /** Claims, releases or reports a job for an instance. Throws a Refusal; see `changeJob`. */
  change(uuid: string, instance: InstanceRow, request: JobRequest): JobRow {
    const { clock, events } = this.#context;
    this.seen(instance);
    const job = this.jobs.get(uuid);
    const run = this.runs.get(job.run);
    const by = {
      uuid: instance.uuid,
      askPrice: instance.askPrice,
      ineligible: this.whyIneligible(run, instance),
    };
    const changed = changeJob(job, request, by, clock.now());
    if (changed === job) return job;
    this.#replace(run, changed);
    if (hasEnded(changed)) this.#context.accounts.pay(run.owner, instance.owner, changed.cost ?? 0);
    events.emit({ kind: EVENT_OF[request.kind], job: changed, instance: instance.uuid });
    return changed;
  }

  /** Records a request of the instance, which renews the leases of its jobs. */
  seen(instance: InstanceRow): void {
    const { clock, instances } = this.#context;
    this.expireLeases();
    this.leases.seen(instance.uuid, clock.monotonic());
    const current = instances.find(instance.uuid);
    if (current !== undefined) instances.put({ ...current, lastConnection: clock.now() });
  }

  /** Puts the jobs of instances with an expired lease back on the market. */
  expireLeases(): void {
    const { clock, events } = this.#context;
    for (const instance of this.leases.expired(() => this.jobs.holders(), clock.monotonic())) {
      for (const job of this.jobs.heldBy(instance)) {
        const released = unclaimed(job);
        this.#replace(this.runs.get(job.run), released);
        events.emit({ kind: 'expired', job: released, instance });
      }
    }
  }

  #replace(run: RunRow, job: JobRow): void {
    this.jobs.replace(job);
    this.#show(run);
  }

  #show(run: RunRow): void {
    const { created, unfinished } = this.jobs.open(run.uuid);
    this.open.show(run, unfinished > 0);
    this.winnable.show(run, created > 0);
  }

  #countRun(run: RunRow, by: 1 | -1): void {
    this.#runsOfFunction.set(run.function, this.runsOf(run.function) + by);
  }

  #newJob(run: RunRow, text: string): JobRow {
    this.#lastIncrementalId += 1;
    return {
      uuid: this.#context.uuid(),
      run: run.uuid,
      functionName: run.functionName,
      incrementalId: this.#lastIncrementalId,
      arguments: text,
      status: JOB_STATUS.CREATED,
      instance: null,
      askPrice: null,
      createdAt: run.createdAt,
      assignedAt: null,
      finishedAt: null,
      cost: null,
      buildLogs: '',
      stdout: '',
      stderr: '',
      result: '',
    };
  }
}

const EVENT_OF = { claim: 'claimed', release: 'released', report: 'reported' } as const;
