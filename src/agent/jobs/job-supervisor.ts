import { attributeExit, runtimeMs } from '../../domain/attribution.ts';
import { type BootTime, elapsedMs, rebooted } from '../../domain/boot-time.ts';
import { isGpuOutOfMemory } from '../../domain/gpu-memory.ts';
import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import { oomVerdict } from '../../domain/oom.ts';
import { buildLogs, type Ending, reportOf } from '../../domain/outcome.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { HaltWatch, MemoryMonitor, MemoryObservation } from '../../domain/ports/host.ts';
import type { JobFiles, Output } from '../../domain/ports/job-files.ts';
import type { Exit, OutputSink, Runtime } from '../../domain/ports/runtime.ts';
import { anySignal } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { DiskMonitoring, DiskQuotaMonitor } from './disk-quota.ts';
import type { GpuMonitor } from './gpu-monitor.ts';
import { EVICTION_GRACE_MS, type JobContainers } from './job-containers.ts';
import type { JobFinalizer, Remains } from './job-finalizer.ts';
import { type Departure, departed, type ReleaseCause } from './job-result.ts';
import type { LiveOutputs } from './live-outputs.ts';
import { OutputCapture } from './output-capture.ts';
import { PauseMonitor } from './pause-monitor.ts';
import { evictionCause, type JobTermination, type TerminationReason } from './termination.ts';
import type { TrafficCounting, TrafficMonitor } from './traffic-monitor.ts';
import { UnexplainedKills } from './unexplained-kills.ts';

const NO_OUTPUT: Output = { stdout: '', stderr: '', result: undefined };

export type JobSupervisorDeps = {
  readonly containers: JobContainers;
  readonly finalizer: JobFinalizer;
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly clock: HostClock;
  readonly random: () => number;
  readonly log: Log;
  readonly outputs: Pick<LiveOutputs, 'open'>;
  readonly disk: DiskQuotaMonitor;
  readonly traffic: TrafficMonitor;
  readonly gpus: GpuMonitor;
  readonly memory: MemoryMonitor;
  readonly watchHalts: HaltWatch;
  /** When systemd last read its units again, by the wall clock; undefined: not known. */
  readonly systemdReloadedAt: () => number | undefined;
  /** Aborted when the daemon ends: containers run on. */
  readonly detach: AbortSignal;
};

/** A container that was started, and what its end is attributed by. */
export type StartedJob = {
  readonly record: JobRecord;
  readonly container: string;
  /** By the wall clock; the deadline counts from here where `since` does not say. */
  readonly startedAt: number;
  /** Its start, or shortly before or after: the job ran for at most the time since then. */
  readonly since: BootTime;
  /** Whether it had ended before this agent found it. */
  readonly unwatched: boolean;
};

/** What ended the job from outside, if anything did. */
type Decided = Exclude<TerminationReason, { kind: 'cancelled' | 'detached' }> | undefined;

/** What was watched while a job ran. */
type Watches = {
  readonly quota: DiskMonitoring;
  readonly pause: Pick<PauseMonitor, 'pausedMs'>;
  readonly memory: MemoryObservation;
};

/** Watches a started job until it has ended, ends it where it must, and attributes the end. */
export class JobSupervisor {
  readonly #deps: JobSupervisorDeps;
  readonly #kills = new UnexplainedKills();

  constructor(deps: JobSupervisorDeps) {
    this.#deps = deps;
  }

  async supervise(started: StartedJob, end: JobTermination): Promise<Departure> {
    const { disk } = this.#deps;
    using untilCleared = new DisposableStack();
    const quota = untilCleared.use(disk.watch(started.container, end));
    const { container, record, startedAt } = started;
    using counting = this.#deps.traffic.watch({ job: record.uuid, container, startedAt }, end);
    const departure = await this.#untilEnd(started, end, { quota, counting });
    quota.leave();
    // Until the container is removed it takes its disk space, for which no other job may be evicted.
    const watch = untilCleared.move();
    void departure.cleared.then(() => watch.dispose());
    return departure;
  }

  async #untilEnd(
    started: StartedJob,
    end: JobTermination,
    { counting, quota }: { readonly quota: DiskMonitoring; readonly counting: TrafficCounting },
  ): Promise<Departure> {
    const { container, record } = started;
    const { clock, containers, detach, finalizer } = this.#deps;
    const ranMs = elapsedMs(started.since, clock.bootTime()) ?? Math.max(clock.now() - started.startedAt, 0);
    using pause = new PauseMonitor(end, clock, record.timeoutMs - ranMs);
    using memory = this.#deps.memory.watch(container);
    const isHalted = this.#deps.watchHalts(container);
    const watches: Watches = { quota, pause, memory };
    const enough = new AbortController();
    const through = (sink: OutputSink): OutputSink => end.watchOutput(sink, clock);
    using output = this.#deps.outputs.open(record.uuid);
    const source = { job: record.uuid, container, through, watch: () => output.live.sink() };
    const capture = new OutputCapture(this.#deps, source, anySignal(detach, enough.signal));
    try {
      const exit = await containers.exit(container, end.signal, (seen) =>
        pause.see(seen === 'running' && isHalted() ? 'paused' : seen),
      );
      const decided = exit === undefined ? end.reason : undefined;
      if (detach.aborted || decided?.kind === 'detached') return departed({ kind: 'detached' });
      if (decided?.kind === 'cancelled') {
        await counting.end();
        return await finalizer.cancel(record, container, decided.why);
      }
      if (decided === undefined) {
        const seen = exit === 'gone' ? undefined : exit;
        const output = await capture.output(seen);
        await counting.end();
        return await this.#conclude(started, seen, decided, output, watches);
      }
      const graceMs =
        decided.kind === 'evicted' ? (decided.byOwner?.graceMs ?? EVICTION_GRACE_MS) : undefined;
      const ended = await containers.end(container, graceMs);
      if (ended === undefined) enough.abort();
      if (!detach.aborted) await counting.end();
      if (ended === 'gone') return await finalizer.release(record, over(container), VANISHED, 'engine');
      const output = (await capture.output(ended)) ?? NO_OUTPUT;
      return await this.#conclude(started, ended, decided, output, watches);
    } finally {
      enough.abort();
    }
  }

  /** Reports the job, or releases it where this host ended it. Nothing `decided` and no `exit`: it has vanished. */
  async #conclude(
    started: StartedJob,
    seen: Exit | undefined,
    decided: Decided,
    output: Output | undefined,
    watches: Watches,
  ): Promise<Departure> {
    const { container, record, since } = started;
    const { clock, detach, finalizer } = this.#deps;
    const remains = { container, mayRun: seen === undefined && decided !== undefined };
    if (seen === undefined && decided === undefined) {
      return finalizer.release(record, remains, VANISHED, 'engine');
    }
    if (output === undefined) {
      return finalizer.release(record, remains, 'its output cannot be read', 'engine');
    }
    const exit = await this.#withOrigin(container, seen, output);
    if (detach.aborted) return departed({ kind: 'detached' });
    const now = clock.bootTime();
    const ranMs = runtimeMs(exit, elapsedMs(since, now));
    const pausedMs = Math.max(exit?.pausedMs ?? 0, watches.pause.pausedMs);
    const attribution = attributeExit({
      exit,
      returned: output.result !== undefined,
      reason: decided,
      timeoutMs: record.timeoutMs,
      ranMs,
      pausedMs,
      unwatched: started.unwatched,
      rebooted: rebooted(since, now),
    });
    if (attribution.kind === 'release') {
      return finalizer.release(record, remains, attribution.why, causeOf(exit, decided));
    }
    const { cause, ending, fault } = await this.#examine(started, attribution.ending, output, watches);
    if (fault !== undefined) return finalizer.release(record, remains, fault, cause);
    if (detach.aborted) return departed({ kind: 'detached' });
    const report = reportOf(ending, output, buildLogs(record.image));
    return finalizer.report(record, remains, report, Math.max(ranMs - pausedMs, 0));
  }

  /** An exit with 0 and no result may be a job's answer to a signal, so the engine is asked where the signal came from. */
  async #withOrigin(
    container: string,
    exit: Exit | undefined,
    { result }: Output,
  ): Promise<Exit | undefined> {
    if (exit?.code !== 0 || result !== undefined || exit.exitOrigin !== 'job') return exit;
    const { detach, runtime } = this.#deps;
    const asked = runtime.wasSignalled?.(container, exit, detach).catch((thrown: unknown) => {
      if (detach.aborted) return false;
      throw thrown;
    });
    return (await asked) === true ? { ...exit, exitOrigin: 'external' } : exit;
  }

  /** Whether this host made the job fail after all, and how it ended as far as that is known. */
  async #examine(
    started: StartedJob,
    ending: Ending,
    output: Output,
    { memory, quota }: Watches,
  ): Promise<{
    readonly ending: Ending;
    readonly fault: string | undefined;
    readonly cause?: ReleaseCause;
  }> {
    const { record } = started;
    const { status } = reportOf(ending, output, '');
    if (ending.kind !== 'exited' || status !== JOB_STATUS.FAILED) {
      this.#kills.ended(record.run);
      return { ending, fault: undefined };
    }
    const verdict = oomVerdict(ending.exit, memory.facts());
    const exit = { ...ending.exit, oomKilled: verdict === 'job' };
    const known =
      quota.fault(exit) ??
      (verdict === 'host' ? this.#kills.faultIfShort(record.run) : undefined) ??
      this.#gpuLoss(started) ??
      (await this.#deps.gpus.hostFault(record, { outOfMemory: isGpuOutOfMemory(output.stderr) }));
    const examined: Ending = { kind: 'exited', exit };
    if (known !== undefined) return { ending: examined, fault: known };
    return { ending: examined, fault: this.#kills.fault(record.run, exit), cause: 'killed' };
  }

  /** Why the job may have lost its GPU; undefined: it has not. */
  #gpuLoss({ container, record, startedAt }: StartedJob): string | undefined {
    const { runtime, systemdReloadedAt } = this.#deps;
    if (record.gpu === null || runtime.mayLoseGpu?.(container) !== true) return undefined;
    if ((systemdReloadedAt() ?? 0) < startedAt) return undefined;
    return 'systemd was reloaded while it ran, which can take its GPU away';
  }
}

/** Whether the engine ended a job that goes back to the market; a job that this agent stopped says nothing of it. */
function causeOf(exit: Exit | undefined, decided: Decided): ReleaseCause {
  if (decided?.kind === 'evicted') return evictionCause(decided);
  if (exit === undefined || decided !== undefined || exit.restarted) return 'other';
  return exit.exitOrigin === 'job' ? 'other' : 'engine';
}

function over(container: string): Remains {
  return { container, mayRun: false };
}

const VANISHED = 'its container has vanished';
