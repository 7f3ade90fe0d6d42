import { AgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { ReclaimedMemory } from '../../domain/gpu-memory.ts';
import { CPU_TARGET, type Hold, type Target, targetOf } from '../../domain/hold.ts';
import { earnings, JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import { type NameableGpu, nameTargets, type TargetNames } from '../../domain/name-targets.ts';
import type { Targets } from '../../domain/owner-command.ts';
import { ALL_TARGETS, type End } from '../../domain/owner-decisions.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { waitAtMost } from '../../lib/deadline.ts';
import type { Problem } from '../admission/admission.ts';
import type { Observer } from '../events/events.ts';
import type { Holds } from '../holds/holds.ts';
import type { Giver, OwnerControl } from '../holds/owner-control.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { MemoryReturn } from './memory-return.ts';

/** So many jobs are named in an error. */
const MAX_NAMED = 5;

/** How long the engine may take to end jobs beyond their own time, before the owner is answered. */
const END_JOBS_MS = 20_000;

const RECOVERING: Problem = {
  why: 'the agent has not taken them over from before its start yet; it ends them as soon as the engine lets it',
  hint: 'see whether `docker ps` answers; what a `resume` takes back before that runs on',
};

/** How long a decision lasts: an end, or the next change of the schedule. */
export type Lasting = End | 'next-change' | undefined;

/** A pause as an owner asks for it. */
export type PauseRequest = TargetNames & {
  readonly lasting: Lasting;
  readonly note?: string | undefined;
  readonly tag: string;
};

/** A reclaim as an owner asks for it. */
export type ReclaimRequest = PauseRequest & {
  /** How long jobs have between SIGTERM and SIGKILL, in milliseconds. */
  readonly withinMs: number;
  /** The jobs that the owner agreed to stop, or whether to all. */
  readonly confirmed: boolean | readonly string[];
};

/** A target and what keeps it from new jobs now. */
export type TargetState = {
  readonly target: Target;
  readonly name: string;
  /** What the owner decided about rules. */
  readonly mode: 'auto' | 'on' | 'off';
  readonly hold: Hold | undefined;
};

/** What a command has done; `changed`: anything at all. */
export type CommandAnswer = { readonly changed: boolean; readonly targets: readonly TargetState[] };

/** A job that a reclaim ends, and what that costs. */
export type Evicted = {
  readonly job: string;
  readonly function: string;
  readonly target: Target;
  /** How long it has been here, in milliseconds. */
  readonly ranMs: number;
  /** What it would have earned until now, in US dollars. */
  readonly unpaid: number;
  /** When it ends at the latest if it is left alone, by the wall clock in milliseconds. */
  readonly endsBy: number;
};

/** What a reclaim has done. */
export type ReclaimAnswer = CommandAnswer & {
  readonly jobs: readonly Evicted[];
  readonly gpus: readonly ReclaimedMemory[];
  /** Jobs that still run: the engine does not end them. They are ended as soon as it does. */
  readonly left: readonly string[];
  /** Why jobs still run, as far as this host knows; undefined: it does not, or none is left. */
  readonly problem: Problem | undefined;
  /** From the command to the last GPU's memory, in milliseconds. */
  readonly tookMs: number;
};

export type OwnerCommandsDeps = {
  readonly control: OwnerControl;
  readonly holds: Pick<Holds, 'of'>;
  readonly jobRunner: Pick<JobRunner, 'evictFrom' | 'isRecovered' | 'jobs'>;
  readonly memory: Pick<MemoryReturn, 'idle' | 'returned'>;
  /** The GPUs of this host as far as they are known; asks nvidia-smi only where none was seen yet. */
  readonly gpus: () => Promise<readonly Gpu[]>;
  /** The minor numbers of GPUs' device files, by uuid, as far as they are known. */
  readonly minors: (gpus: readonly Gpu[]) => Promise<ReadonlyMap<string, number>>;
  readonly hasCpuSlots: () => boolean;
  /** What keeps this host from working, such as an engine that does not answer. */
  readonly problem: () => Problem | undefined;
  /** The next change of the schedule for targets, by the wall clock; undefined: there is none. */
  readonly nextChange: (targets: Targets, known: readonly Target[]) => number | undefined;
  readonly clock: Clock;
  readonly observe: Observer;
};

/** Carries out what the owner commands the running agent. Throws TARGET_UNKNOWN, TIME_INVALID and what the journal throws. */
export class OwnerCommands {
  readonly #deps: OwnerCommandsDeps;

  constructor(deps: OwnerCommandsDeps) {
    this.#deps = deps;
  }

  /** No new jobs; those that run go on to their end. */
  async pause(request: PauseRequest, giver: Giver): Promise<CommandAnswer> {
    const { known, targets } = await this.#find(request);
    return this.#pause(request, targets, known, giver);
  }

  /** Ends pauses; with a tag only those that have it. */
  async resume(names: TargetNames, tag: string | undefined, giver: Giver): Promise<CommandAnswer> {
    const { known, targets } = await this.#find(names);
    const changed = this.#deps.control.apply({ kind: 'resume', targets, tag }, giver);
    return { changed, targets: this.#states(targets, known) };
  }

  /** `on` overrides presence and calendar, `off` takes no jobs, `auto` leaves it to the rules. */
  async mode(
    names: TargetNames,
    mode: 'auto' | 'on' | 'off',
    lasting: Lasting,
    giver: Giver,
  ): Promise<CommandAnswer> {
    const { known, targets } = await this.#find(names);
    const end = this.#endOf(lasting, targets, known);
    const changed = this.#deps.control.apply({ kind: 'mode', targets, mode, end }, giver);
    return { changed, targets: this.#states(targets, known) };
  }

  /** What a reclaim would end now. */
  async preview(names: TargetNames): Promise<readonly Evicted[]> {
    const { targets } = await this.#find(names);
    const { jobRunner } = this.#deps;
    return jobRunner.jobs.filter(isIn(targets)).map((job) => this.#evicted(job));
  }

  /**
   * Pauses, ends the jobs that run, and waits until the GPUs' memory is back, or who uses it is known. Answers also where the
   * engine does not end them. Throws NOT_CONFIRMED, and changes nothing, where a job runs that is not `confirmed`.
   */
  async reclaim(request: ReclaimRequest, giver: Giver): Promise<ReclaimAnswer> {
    const { confirmed, withinMs } = request;
    const { clock, jobRunner, memory, observe } = this.#deps;
    const began = clock.monotonic();
    const { known, targets } = await this.#find(request);
    // From here to the eviction nothing is waited for, so that no other job can start.
    const more = jobRunner.jobs.filter((job) => isIn(targets)(job) && !isAmong(confirmed, job));
    if (more.length > 0) throw notConfirmed(more.map((job) => this.#evicted(job)));
    const paused = this.#pause(request, targets, known, giver);
    const idle = memory.idle(known);
    const why = `its owner took ${targets === ALL_TARGETS ? 'the machine' : 'the GPU'} back`;
    const eviction = jobRunner.evictFrom(this.#isStillPaused(targets, request.tag), why, withinMs);
    const jobs = eviction.jobs.map((job) => this.#evicted(job));
    await waitAtMost(withinMs + END_JOBS_MS, eviction.vacated);
    const left = jobRunner.jobs.filter(({ uuid }) => jobs.some(({ job }) => job === uuid));
    const emptied = known.filter(({ slices, uuid }) =>
      [uuid, ...slices.map((slice) => slice.uuid)].every((target) => left.every(({ gpu }) => gpu !== target)),
    );
    const taken = emptied.filter((gpu) => isIn(targets)({ gpu: gpu.uuid }));
    const gpus = await memory.returned(taken, idle);
    const tookMs = Math.round(clock.monotonic() - began);
    const remaining = {
      left: left.map(({ uuid }) => uuid),
      problem: left.length === 0 ? undefined : this.#unended(),
    };
    observe({ kind: 'reclaim-ended', jobs: jobs.map(({ job }) => job), gpus, tookMs, ...remaining });
    return { ...paused, jobs, gpus, tookMs, ...remaining };
  }

  /** All targets of this host as they are now. */
  async targets(): Promise<readonly TargetState[]> {
    return this.#states(ALL_TARGETS, await this.#known());
  }

  /** Whether a job is meant by a reclaim, for as long as nobody has taken back its pause. */
  #isStillPaused(targets: Targets, tag: string): (job: JobRecord) => boolean {
    const isMeant = isIn(targets);
    return (job) =>
      isMeant(job) &&
      this.#deps.control.decisions.some(
        (one) =>
          one.kind === 'pause' &&
          one.tag === tag &&
          !(one.except ?? []).includes(targetOf(job)) &&
          isIn(one.target === ALL_TARGETS ? ALL_TARGETS : [one.target])(job),
      );
  }

  /** Why jobs have not ended. */
  #unended(): Problem | undefined {
    const { jobRunner, problem } = this.#deps;
    return problem() ?? (jobRunner.isRecovered ? undefined : RECOVERING);
  }

  #pause(
    { lasting, note, tag }: PauseRequest,
    targets: Targets,
    known: readonly NameableGpu[],
    giver: Giver,
  ): CommandAnswer {
    const end = this.#endOf(lasting, targets, known);
    const command = { kind: 'pause', targets, end, note, tag } as const;
    const changed = this.#deps.control.apply(command, giver);
    return { changed, targets: this.#states(targets, known) };
  }

  async #find(names: TargetNames): Promise<{ readonly targets: Targets; readonly known: readonly Gpu[] }> {
    const isAllOrCpu =
      names.minors.length === 0 && names.names.every((name) => name === ALL_TARGETS || name === CPU_TARGET);
    // Neither needs to know the GPUs, and nvidia-smi may be slow.
    const known = await this.#known(isAllOrCpu);
    const named = nameTargets(names, names.minors.length === 0 ? known : await this.#withMinors(known));
    if (named.kind === 'targets') return { targets: named.targets, known };
    throw unknownTargets(named.unknown, known);
  }

  async #withMinors(known: readonly Gpu[]): Promise<readonly NameableGpu[]> {
    const minors = await this.#deps.minors(known);
    return known.map((gpu) => ({ ...gpu, minor: minors.get(gpu.uuid) }));
  }

  async #known(mayBeNone = true): Promise<readonly Gpu[]> {
    try {
      return await this.#deps.gpus();
    } catch (thrown) {
      if (mayBeNone) return [];
      throw thrown;
    }
  }

  #endOf(lasting: Lasting, targets: Targets, known: readonly NameableGpu[]): End | undefined {
    const { clock, nextChange } = this.#deps;
    if (lasting === undefined) return undefined;
    if (lasting !== 'next-change') {
      if (lasting.kind === 'at' && lasting.at <= clock.now())
        throw new AgentError('TIME_INVALID', `${new Date(lasting.at).toISOString()} is in the past`);
      return lasting;
    }
    const at = nextChange(targets, uuidsOf(known));
    if (at !== undefined) return { kind: 'at', at };
    throw noNextChange();
  }

  #states(targets: Targets, known: readonly NameableGpu[]): readonly TargetState[] {
    const { control, hasCpuSlots, holds } = this.#deps;
    const everything = [
      ...known.flatMap(({ slices, uuid }) =>
        slices.length === 0 ? [uuid] : slices.map((slice) => slice.uuid),
      ),
      ...(hasCpuSlots() ? [CPU_TARGET] : []),
    ];
    return (targets === ALL_TARGETS ? everything : targets).map((target) => ({
      target,
      name: nameOf(target, known),
      mode: control.mode(target),
      hold: holds.of(target),
    }));
  }

  #evicted({ askPrice, claimedAt, functionName, gpu, state, timeoutMs, uuid }: JobRecord): Evicted {
    const now = this.#deps.clock.now();
    const startedAt = state.name === 'running' ? state.startedAt : claimedAt;
    const ranMs = Math.max(now - startedAt, 0);
    return {
      job: uuid,
      function: functionName,
      target: gpu ?? CPU_TARGET,
      ranMs,
      unpaid: earnings(JOB_STATUS.SUCCEEDED, askPrice, ranMs),
      endsBy: startedAt + timeoutMs,
    };
  }
}

/** A target for people: `GPU 1 (NVIDIA GeForce RTX 3090)`, `CPU slots`. */
export function nameOf(target: Target, known: readonly NameableGpu[]): string {
  if (target === CPU_TARGET) return 'CPU slots';
  const gpu = known.find(
    ({ slices, uuid }) => uuid === target || slices.some((slice) => slice.uuid === target),
  );
  if (gpu === undefined) return target;
  const name = `GPU ${gpu.index} (${gpu.model})`;
  return gpu.uuid === target ? name : `slice ${target} of ${name}`;
}

/** The error for names that nothing here has. */
export function unknownTargets(unknown: readonly string[], known: readonly NameableGpu[]): AgentError {
  const here = known.map(({ index, model, uuid }) => `${index} (${model}, ${uuid})`);
  const gpus = here.length === 0 ? 'no GPU is known' : `GPUs here: ${here.join('; ')}`;
  return new AgentError('TARGET_UNKNOWN', `nothing here is called ${unknown.join(', ')}`, {
    hint: `name a GPU by index, uuid or model, or \`cpu\` for CPU jobs; ${gpus}`,
  });
}

function uuidsOf(known: readonly NameableGpu[]): readonly Target[] {
  return known.flatMap(({ slices, uuid }) => [uuid, ...slices.map((slice) => slice.uuid)]);
}

/** Whether something is among the targets. */
function isIn(targets: Targets): (what: { readonly gpu: string | null }) => boolean {
  return ({ gpu }) => targets === ALL_TARGETS || targets.includes(gpu ?? CPU_TARGET);
}

function isAmong(confirmed: ReclaimRequest['confirmed'], { uuid }: JobRecord): boolean {
  return typeof confirmed === 'boolean' ? confirmed : confirmed.includes(uuid);
}

/** The ids only: names are the buyer's. */
function notConfirmed(jobs: readonly Evicted[]): AgentError {
  const unpaid = jobs.reduce((sum, job) => sum + job.unpaid, 0);
  const ids = jobs.slice(0, MAX_NAMED).map(({ job }) => job);
  const more = jobs.length > ids.length ? [`${jobs.length - ids.length} more`] : [];
  const what = `${jobs.length === 1 ? 'a job that was' : `${jobs.length} jobs that were`} not agreed to`;
  return new AgentError(
    'NOT_CONFIRMED',
    `nothing was changed, because it would stop ${what}, $${unpaid.toFixed(2)} unpaid: ${[...ids, ...more].join(', ')}`,
    { hint: 'ask for the cost again and agree to it, or use `pause`, which lets jobs end' },
  );
}

/** The error of what is to end with the next change of a schedule that never changes. */
export function noNextChange(): AgentError {
  return new AgentError('TIME_INVALID', 'the schedule has no next change', {
    hint: 'use --for or --until; `sharedcloud-agent schedule` shows the coming week',
  });
}
