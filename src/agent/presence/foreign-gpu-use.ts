import { asAgentError } from '../../domain/errors.ts';
import {
  type ForeignUse,
  foreignUse,
  heavyProcesses,
  isHeavy,
  type ProcessOwner,
  type ProcessRecords,
  type ProcessRound,
  recordRound,
  recordUse,
  type SeenProcess,
  type UseRecord,
} from '../../domain/foreign-use.ts';
import type { GpuSample } from '../../domain/gpu-sample.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuProcesses } from '../../domain/ports/gpu-processes.ts';
import type { GpuSampler } from '../../domain/ports/gpu-samples.ts';
import type { ProcessOwners } from '../../domain/ports/process-owners.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { aborted, anySignal } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';
import type { RunningContainers } from '../admission/running-containers.ts';
import { RETRY } from '../retry/policies.ts';

/** A process that computes shows only in the second of two rounds. */
const FIRST_ROUNDS = 2;
/** What was read longer ago says nothing about now, in milliseconds. */
const FRESH_MS = 5_000;
/** A follower that has worked for so long does not fail at once, in milliseconds. */
const STEADY_MS = 60_000;
/** How often a GPU that is powered down is looked for again, in milliseconds. */
const ASLEEP_MS = 1_000;
/** So long after a job of ours has left a GPU its memory may still be in use, in milliseconds. */
const SETTLING_MS = 10_000;

export type ForeignGpuUseDeps = {
  readonly processes: GpuProcesses;
  /** Where process ids are hidden, the GPU as a whole says whether somebody uses it; undefined: it does not. */
  readonly samples: Pick<GpuSampler, 'allAsleep' | 'sampled' | 'watch'> | undefined;
  readonly owners: ProcessOwners;
  readonly containers: Pick<RunningContainers, 'areKnown' | 'ids'>;
  /** Whether no job and no canary of ours is on the GPU. */
  readonly isIdle: (gpu: string) => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** What is known of one GPU. */
type Seen = {
  /** How many rounds showed all of its processes, in a row. */
  readonly rounds: number;
  readonly at: number;
  readonly use: ForeignUse;
};

/** Finds out whether somebody else than the agent's jobs uses a GPU. */
export class ForeignGpuUse {
  /** Notified with every round, and when there are none any more. */
  readonly changed = new Notifier();
  readonly #deps: ForeignGpuUseDeps;
  /** The GPUs to watch, by index. */
  #gpus: ReadonlyMap<number, string> = new Map();
  #rewatch = new Notifier();
  #records: ProcessRecords = new Map();
  /** The heavy processes of the last round that are ours: one stays so when its container has ended before it. */
  #ours: ReadonlySet<number> = new Set();
  /** The GPUs as a whole, where process ids are hidden. */
  readonly #totals = new Map<string, UseRecord>();
  /** When a job of ours was last on the GPU. */
  readonly #busyAt = new Map<string, number>();
  readonly #seen = new Map<string, Seen>();
  #failure = 'its processes were not read yet';
  readonly #problem = new OncePerChange();

  constructor(deps: ForeignGpuUseDeps) {
    this.#deps = deps;
    deps.samples?.sampled.subscribe((samples) => this.#takeSamples(samples));
  }

  /** Who uses the GPU now. Undefined where that cannot be found out: while a job of ours runs, where process ids are hidden. */
  use(gpu: string): ForeignUse | undefined {
    const { clock, isIdle, owners } = this.#deps;
    if (!owners.areIdsShared && !isIdle(gpu)) return undefined;
    const seen = this.#seen.get(gpu);
    if (seen === undefined || clock.monotonic() - seen.at > FRESH_MS)
      return { state: 'unknown', why: this.#failure };
    if (seen.use.state === 'quiet' && seen.rounds < FIRST_ROUNDS)
      return { state: 'unknown', why: 'its processes were read only once so far' };
    return seen.use;
  }

  /** Watches these GPUs from now on, by index; none: nothing. */
  watch(gpus: ReadonlyMap<number, string>): void {
    const isSame =
      gpus.size === this.#gpus.size && [...gpus].every(([at, uuid]) => this.#gpus.get(at) === uuid);
    if (isSame) return;
    this.#gpus = gpus;
    this.#rewatch.notify();
  }

  /** Goes on until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    const { owners } = this.#deps;
    while (!signal.aborted) {
      if (this.#gpus.size === 0) {
        this.#forget();
        await this.#rewatch.wait(signal);
      } else if (this.#deps.samples?.allAsleep === true) await this.#leaveAsleep(signal);
      else if (owners.areIdsShared) await this.#followProcesses(signal);
      else await this.#watchTotals(signal);
    }
  }

  /** Nothing uses a GPU that is powered down, and reading its processes would wake it. */
  async #leaveAsleep(signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.monotonic();
    for (const gpu of this.#gpus.values()) this.#see(gpu, { state: 'quiet' }, now);
    this.changed.notify();
    await sleep(ASLEEP_MS, signal, this.#rewatch.next);
  }

  async #followProcesses(signal: AbortSignal): Promise<void> {
    const { clock, processes, random } = this.#deps;
    const either = anySignal(signal, this.#rewatch.next);
    for (let failures = 1; !either.aborted; failures += 1) {
      const began = clock.monotonic();
      try {
        await processes.follow(this.#gpus, (round) => this.#takeRound(round), either);
        failures = 1;
      } catch (thrown) {
        this.#fail(thrown);
      }
      if (clock.monotonic() - began > STEADY_MS) failures = 1;
      // One that has ended well is started again as soon as the next round is due.
      await sleep(backoffMs(RETRY.gpuProcesses, failures, random), either);
    }
  }

  async #watchTotals(signal: AbortSignal): Promise<void> {
    using _ = this.#deps.samples?.watch();
    await aborted(anySignal(signal, this.#rewatch.next));
  }

  #takeRound(round: ProcessRound): void {
    const { clock, log } = this.#deps;
    const now = clock.monotonic();
    // What has ended uses nothing, and rows can be forged.
    const processes = round.processes.filter(({ pid }) => this.#deps.owners.exists(pid));
    this.#records = recordRound(this.#records, { ...round, processes }, now);
    const heavy = heavyProcesses(this.#records);
    const owners = this.#ownersOf(heavy);
    const ownerOf = (pid: number): ProcessOwner => owners.get(pid) ?? 'unknown';
    for (const gpu of this.#gpus.values()) {
      const own = heavy.filter((process) => process.gpu === gpu);
      const isWhole = round.gpus.has(gpu);
      const use = foreignUse(own, ownerOf, isWhole);
      // A round may come in parts: the GPUs that are not in this one were, or will be, in another.
      if (isWhole || use.state === 'used') this.#see(gpu, use, now);
    }
    if (this.#problem.forget(''))
      log.info({ event: 'gpu-use-readable' }, 'the processes on GPUs are read again');
    this.changed.notify();
  }

  /** All but ours are looked up in every round: one may be in a container that was not known in the round before. */
  #ownersOf(heavy: readonly SeenProcess[]): ReadonlyMap<number, ProcessOwner> {
    const { containers, owners } = this.#deps;
    const find = owners.among(containers.ids);
    const pids = [...new Set(heavy.map(({ pid }) => pid))];
    const found = new Map(pids.map((pid) => [pid, this.#ours.has(pid) ? 'ours' : find(pid)]));
    this.#ours = new Set(pids.filter((pid) => found.get(pid) === 'ours'));
    if (containers.areKnown) return found;
    return new Map([...found].map(([pid, owner]) => [pid, owner === 'foreign' ? 'unknown' : owner]));
  }

  #takeSamples(samples: readonly GpuSample[]): void {
    const { clock, isIdle, owners } = this.#deps;
    if (this.#gpus.size === 0 || owners.areIdsShared) return;
    const now = clock.monotonic();
    const watched = new Set(this.#gpus.values());
    for (const { memoryUsedMiB: usedMiB, utilizationPercent: smPercent, uuid } of samples) {
      if (!watched.has(uuid)) continue;
      if (!isIdle(uuid)) this.#busyAt.set(uuid, now);
      if (now - (this.#busyAt.get(uuid) ?? Number.NEGATIVE_INFINITY) < SETTLING_MS) continue;
      const use = recordUse(
        this.#totals.get(uuid),
        { usedMiB, smPercent },
        { now, baselineMiB: usedMiB ?? 0 },
      );
      this.#totals.set(uuid, use);
      const by = [{ pid: 0, gpu: uuid, type: '', name: 'a program', usedMiB, smPercent }];
      this.#see(uuid, isHeavy(use) ? { state: 'used', by } : { state: 'quiet' }, now);
    }
    this.changed.notify();
  }

  #see(gpu: string, use: ForeignUse, now: number): void {
    this.#seen.set(gpu, { rounds: (this.#seen.get(gpu)?.rounds ?? 0) + 1, at: now, use });
  }

  /** Nothing is known of any GPU until the next round. */
  #fail(thrown: unknown): void {
    const { code, hint, message } = asAgentError(thrown);
    this.#failure = message;
    this.#seen.clear();
    if (this.#problem.isNew(message))
      this.#deps.log.warn(
        { event: 'gpu-use-unreadable', code, hint },
        `processes on GPUs unknown: ${message}`,
      );
    this.changed.notify();
  }

  #forget(): void {
    this.#records = new Map();
    this.#ours = new Set();
    this.#totals.clear();
    this.#seen.clear();
  }
}
