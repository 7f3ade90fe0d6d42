import { attributeExit, type ExitFacts, runtimeMs } from '../../domain/attribution.ts';
import { type BootTime, elapsedMs, rebooted } from '../../domain/boot-time.ts';
import { isGpuOutOfMemory } from '../../domain/gpu-memory.ts';
import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import { buildLogs, reportOf } from '../../domain/outcome.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { JobFiles, Output } from '../../domain/ports/job-files.ts';
import type { Exit, OutputSink, Runtime } from '../../domain/ports/runtime.ts';
import { anySignal } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { DiskMonitoring, DiskQuotaMonitor } from './disk-quota.ts';
import type { GpuMonitor } from './gpu-monitor.ts';
import { EVICTION_GRACE_MS, type JobContainers } from './job-containers.ts';
import type { JobFinalizer, Remains } from './job-finalizer.ts';
import { type Departure, departed } from './job-result.ts';
import { hostOomFault } from './oom-detector.ts';
import { OutputCapture } from './output-capture.ts';
import type { JobTermination } from './termination.ts';
import type { TrafficCounting, TrafficMonitor } from './traffic-monitor.ts';

const NO_OUTPUT: Output = { stdout: '', stderr: '', result: undefined };

export type JobSupervisorDeps = {
  readonly containers: JobContainers;
  readonly finalizer: JobFinalizer;
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly clock: HostClock;
  readonly random: () => number;
  readonly log: Log;
  readonly disk: DiskQuotaMonitor;
  readonly traffic: TrafficMonitor;
  readonly gpus: GpuMonitor;
  /** The kernel's count of out-of-memory kills since boot; undefined: it does not say. */
  readonly oomKills: () => number | undefined;
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

/** Why this host is to blame for a failed exit; undefined: it is not. */
type FindHostFault = (exit: Pick<Exit, 'code' | 'oomKilled'>, output: Output) => Promise<string | undefined>;

/** Watches a started job until it has ended, ends it where it must, and attributes the end. */
export class JobSupervisor {
  readonly #deps: JobSupervisorDeps;

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
    const { clock, containers, detach, finalizer, gpus, oomKills } = this.#deps;
    const ranMs = elapsedMs(started.since, clock.bootTime()) ?? Math.max(clock.now() - started.startedAt, 0);
    end.deadline(record.timeoutMs - ranMs);
    const killsAtStart = oomKills();
    const findHostFault: FindHostFault = async (exit, { stderr }) =>
      quota.fault(exit) ??
      hostOomFault(exit, killsAtStart, oomKills()) ??
      gpus.hostFault(record, { outOfMemory: isGpuOutOfMemory(stderr) });
    const enough = new AbortController();
    const through = (sink: OutputSink): OutputSink => end.watchOutput(sink, clock);
    const source = { job: record.uuid, container, through };
    const capture = new OutputCapture(this.#deps, source, anySignal(detach, enough.signal));
    try {
      const exit = await containers.exit(container, end.signal);
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
        return await this.#conclude(started, seen, decided, output, findHostFault);
      }
      const graceMs = decided.kind === 'evicted' ? EVICTION_GRACE_MS : undefined;
      const ended = await containers.end(container, graceMs);
      if (ended === undefined) enough.abort();
      if (!detach.aborted) await counting.end();
      if (ended === 'gone') return await finalizer.release(record, over(container), VANISHED);
      const output = (await capture.output(ended)) ?? NO_OUTPUT;
      return await this.#conclude(started, ended, decided, output, findHostFault);
    } finally {
      enough.abort();
    }
  }

  /** Reports the job, or releases it where this host ended it. Nothing `decided` and no `exit`: it has vanished. */
  async #conclude(
    started: StartedJob,
    exit: Exit | undefined,
    decided: ExitFacts['reason'],
    output: Output | undefined,
    findHostFault: FindHostFault,
  ): Promise<Departure> {
    const { container, record, since } = started;
    const { clock, detach, finalizer } = this.#deps;
    const remains = { container, mayRun: exit === undefined && decided !== undefined };
    if (exit === undefined && decided === undefined) return finalizer.release(record, remains, VANISHED);
    if (output === undefined) return finalizer.release(record, remains, 'its output cannot be read');
    const now = clock.bootTime();
    const ranMs = runtimeMs(exit, elapsedMs(since, now));
    const attribution = attributeExit({
      exit,
      returned: output.result !== undefined,
      reason: decided,
      timeoutMs: record.timeoutMs,
      ranMs,
      unwatched: started.unwatched,
      rebooted: rebooted(since, now),
    });
    if (attribution.kind === 'release') return finalizer.release(record, remains, attribution.why);
    const report = reportOf(attribution.ending, output, buildLogs(record.image));
    const failed = report.status === JOB_STATUS.FAILED ? attribution.ending : undefined;
    const fault = failed?.kind === 'exited' ? await findHostFault(failed.exit, output) : undefined;
    if (fault !== undefined) return finalizer.release(record, remains, fault);
    if (detach.aborted) return departed({ kind: 'detached' });
    return finalizer.report(record, remains, report, ranMs);
  }
}

function over(container: string): Remains {
  return { container, mayRun: false };
}

const VANISHED = 'its container has vanished';
