import { JOB_STATUS } from '../../../domain/job.ts';
import { changeJob, freed, hasEnded, type JobRequest } from './job-change.ts';
import { Jobs } from './jobs.ts';
import { Leases } from './leases.ts';
import { whyBarred } from './market-rules.ts';
import type { Places } from './places.ts';
import { invalidAsAWhole } from './refusal.ts';
import type { InstanceRow, JobRow, RunRow } from './rows.ts';
import { RunList } from './run-list.ts';
import { Table } from './table.ts';

/**
 * Runs and their jobs: who may claim what, and what becomes of it. Two lists of runs are kept. `open`: neither
 * deleted nor finished, what a buyer or a visitor sees. `winnable`: those of them that have a job to claim now,
 * from which an instance sees what it may win.
 */
export class Market {
  readonly runs = new Table<RunRow>();
  readonly jobs = new Jobs();
  readonly open = new RunList();
  readonly winnable = new RunList();
  readonly leases: Leases;
  readonly #places: Places;
  readonly #runsOfFunction = new Map<string, number>();
  #lastIncrementalId = 0;

  constructor(places: Places, leaseSeconds: number | undefined) {
    this.#places = places;
    this.leases = new Leases(leaseSeconds);
  }

  /** Puts a run with one job per item of `jobArguments` on the market. */
  add(run: RunRow, jobArguments: readonly string[]): void {
    this.runs.put(run);
    this.#countRun(run, 1);
    for (const text of jobArguments) this.jobs.add(this.#newJob(run, text));
    this.#show(run);
    this.#places.events.emit({ kind: 'run-added', run });
  }

  /** Takes the run off with all its jobs. Throws a Refusal while one is in progress, unless `evenInProgress`. */
  delete(uuid: string, evenInProgress: boolean): void {
    const run = this.runs.get(uuid);
    const running = this.jobs.ofRun(uuid).some((job) => job.status === JOB_STATUS.IN_PROGRESS);
    if (running && !evenInProgress) {
      throw invalidAsAWhole('Some jobs of this run are in progress. Please wait until they are finished.');
    }
    this.runs.remove(uuid);
    this.#countRun(run, -1);
    this.jobs.removeRun(uuid);
    this.#show(run);
    this.#places.events.emit({ kind: 'run-deleted', run });
  }

  /** How many runs of the function there are. */
  runsOf(fn: string): number {
    return this.#runsOfFunction.get(fn) ?? 0;
  }

  /** Why the instance cannot win jobs of the run; undefined where it can. */
  whyBarred(run: RunRow, instance: InstanceRow): string | undefined {
    const { functions, images, gpus } = this.#places;
    const image = functions.find(run.function)?.image;
    return whyBarred(run, instance, {
      image: image === undefined ? undefined : images.find(image),
      baseGpu: run.baseGpu === null ? undefined : gpus.find(run.baseGpu),
      gpu: instance.gpu === null ? undefined : gpus.find(instance.gpu),
    });
  }

  /** Claims, releases or reports a job for an instance. Throws a Refusal; see `changeJob`. */
  change(uuid: string, instance: InstanceRow, request: JobRequest): JobRow {
    const { clock, events } = this.#places;
    this.seen(instance);
    const job = this.jobs.get(uuid);
    const run = this.runs.get(job.run);
    const by = {
      uuid: instance.uuid,
      askPrice: instance.askPrice,
      barred: this.whyBarred(run, instance),
    };
    const changed = changeJob(job, request, by, clock.now());
    if (changed === job) return job;
    this.#replace(run, changed);
    if (hasEnded(changed)) this.#places.accounts.pay(run.owner, instance.owner, changed.cost ?? 0);
    events.emit({ kind: EVENT_OF[request.kind], job: changed, instance: instance.uuid });
    return changed;
  }

  /** Notes that the instance was heard of, which renews the leases of what it holds. */
  seen(instance: InstanceRow): void {
    const { clock, instances } = this.#places;
    this.expireLeases();
    this.leases.seen(instance.uuid, clock.monotonic());
    const current = instances.find(instance.uuid);
    if (current !== undefined) instances.put({ ...current, lastConnection: clock.now() });
  }

  /** Gives the jobs of instances that were silent for their lease back to the market. */
  expireLeases(): void {
    const { clock, events } = this.#places;
    for (const instance of this.leases.lapsed(() => this.jobs.holders(), clock.monotonic())) {
      for (const job of this.jobs.heldBy(instance)) {
        const back = freed(job);
        this.#replace(this.runs.get(job.run), back);
        events.emit({ kind: 'expired', job: back, instance });
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
      uuid: this.#places.uuid(),
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
