import { SIGXFSZ } from '../../domain/outcome.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { DiskSpace } from '../../domain/ports/host.ts';
import type { Exit, Runtime } from '../../domain/ports/runtime.ts';

import type { JobTermination } from './termination.ts';

/** How often the free disk space is read, which costs nothing. */
const CHECK_MS = 500;

/** How often at least what a job wrote is measured, which costs a walk through its files. */
const MEASURE_MS = 10_000;

/** A job is measured early once the disk has lost this much space, or this part of the job's limit. */
const MIN_FALL_BYTES = 64 * 1024 * 1024;
const MIN_FALL_PART = 1 / 32;

/** A measurement waits this many times as long as the last one took. */
const PAUSE_PART = 4;

/** A job is evicted after this many failed measurements in a row, while the engine answers. */
const MAX_FAILURES = 3;

/** Jobs are evicted below this part of the inodes of the disk. */
const MIN_INODES = 0.02;

/** A disk with less space than this is full: writes fail, or are about to. */
const FULL_BYTES = 64 * 1024 * 1024;
const FULL_INODES = 0.001;

/** How long a job that was evicted, or has ended, may take to free its disk space before another is evicted. */
const EVICTION_TIMEOUT_MS = 30_000;

export type DiskQuotaMonitorDeps = {
  readonly runtime: Pick<Runtime, 'diskBytes' | 'ping' | 'storagePath'>;
  readonly clock: Clock;
  readonly diskSpace: (path: string) => DiskSpace | undefined;
  /** The most that a job may write to its disk. */
  readonly diskLimitBytes: number;
  /** Nothing is claimed below this; jobs are evicted below half of it. */
  readonly minFreeBytes: number;
};

type Watched = {
  readonly container: string;
  readonly end: JobTermination;
  /** When it was last measured, how long that took, and the free disk space then. */
  measuredAt: number;
  tookMs: number;
  freeBytes: number | undefined;
  usedBytes: number;
  isMeasured: boolean;
  failures: number;
  /** Whether the disk was full while it ran. */
  sawFull: boolean;
  hasLeft: boolean;
};

/** A job whose disk use is monitored until this is disposed of. */
export type DiskMonitoring = Disposable & {
  /**
   * Why this host's disk may have made the job fail; undefined: it did not. A job that could not write is not to
   * blame: what filled the disk is found by what it wrote.
   */
  fault(exit: Pick<Exit, 'code' | 'oomKilled'>): string | undefined;
  /** The job has ended: it is neither measured nor evicted any more, and its disk space is about to be free. */
  leave(): void;
};

/**
 * Holds jobs to their disk limit where the storage driver does not, and evicts jobs, those that wrote most first, before
 * the disk is full: files that a job has deleted and keeps open show only there.
 */
export class DiskQuotaMonitor {
  readonly #deps: DiskQuotaMonitorDeps;
  readonly #jobs = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #evictedAt = Number.NEGATIVE_INFINITY;
  /** Since when the disk is short; undefined: it is not. */
  #shortSince: number | undefined;

  constructor(deps: DiskQuotaMonitorDeps) {
    this.#deps = deps;
  }

  /** Monitors a running container until the watch is disposed of. */
  watch(container: string, end: JobTermination): DiskMonitoring {
    const job: Watched = {
      container,
      end,
      measuredAt: this.#deps.clock.monotonic(),
      freeBytes: this.#space()?.freeBytes,
      tookMs: 0,
      usedBytes: 0,
      isMeasured: false,
      failures: 0,
      sawFull: false,
      hasLeft: false,
    };
    this.#jobs.add(job);
    this.#timer ??= setInterval(() => this.#check(), CHECK_MS);
    return {
      fault: ({ code, oomKilled }) => {
        if (oomKilled || code === 128 + SIGXFSZ) return undefined;
        this.#noteFull(this.#space());
        return job.sawFull ? 'the disk of this host was full while it ran' : undefined;
      },
      leave: () => {
        job.hasLeft = true;
      },
      [Symbol.dispose]: () => {
        this.#jobs.delete(job);
        if (this.#jobs.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  #noteFull(space: DiskSpace | undefined): void {
    if (space === undefined || (space.freeBytes >= FULL_BYTES && space.freeInodes >= FULL_INODES)) return;
    for (const job of this.#jobs) job.sawFull = true;
  }

  #space(): DiskSpace | undefined {
    const { diskSpace, runtime } = this.#deps;
    return runtime.storagePath === undefined ? undefined : diskSpace(runtime.storagePath);
  }

  #check(): void {
    const space = this.#space();
    this.#noteFull(space);
    for (const job of this.#jobs) if (this.#isDue(job, space)) void this.#measure(job, space);
    if (space === undefined || !this.#isShort(space)) {
      this.#shortSince = undefined;
      return;
    }
    this.#shortSince ??= this.#deps.clock.monotonic();
    this.#evictOne(this.#shortSince);
  }

  #isDue(job: Watched, space: DiskSpace | undefined): boolean {
    if (job.isMeasured || isLeaving(job)) return false;
    const agoMs = this.#deps.clock.monotonic() - job.measuredAt;
    if (agoMs < job.tookMs * PAUSE_PART) return false;
    if (agoMs >= MEASURE_MS) return true;
    const { diskLimitBytes } = this.#deps;
    const minFall = Math.max(MIN_FALL_BYTES, diskLimitBytes * MIN_FALL_PART);
    const fall = (job.freeBytes ?? 0) - (space?.freeBytes ?? 0);
    return space !== undefined && fall >= Math.max((diskLimitBytes - job.usedBytes) / 2, minFall);
  }

  async #measure(job: Watched, space: DiskSpace | undefined): Promise<void> {
    const { clock, diskLimitBytes, runtime } = this.#deps;
    const began = clock.monotonic();
    job.isMeasured = true;
    try {
      job.usedBytes = (await runtime.diskBytes?.(job.container, job.end.signal)) ?? 0;
      job.failures = 0;
      if (job.usedBytes > diskLimitBytes)
        job.end.limit(`it wrote more than ${diskLimitBytes} bytes to its disk`);
    } catch {
      await this.#failed(job);
    }
    job.measuredAt = clock.monotonic();
    job.tookMs = job.measuredAt - began;
    job.freeBytes = space?.freeBytes;
    job.isMeasured = false;
  }

  /** A failed measurement says nothing about the job while the engine does not answer. */
  async #failed(job: Watched): Promise<void> {
    if (job.end.signal.aborted) return;
    const asked = this.#deps.runtime.ping(job.end.signal);
    const answers = await asked.then(() => true).catch(() => false);
    job.failures = answers ? job.failures + 1 : 0;
    if (job.failures >= MAX_FAILURES) job.end.evict('what it writes to disk cannot be measured');
  }

  #isShort({ freeBytes, freeInodes }: DiskSpace): boolean {
    return freeBytes < this.#deps.minFreeBytes / 2 || freeInodes < MIN_INODES;
  }

  /** Evicts one job, unless another is still leaving. */
  #evictOne(shortSince: number): void {
    const now = this.#deps.clock.monotonic();
    const waitedMs = now - Math.max(this.#evictedAt, shortSince);
    if ([...this.#jobs].some(isLeaving) && waitedMs < EVICTION_TIMEOUT_MS) return;
    // Small differences explain nothing: then the last one to start goes. Many small files show in the time to measure.
    // What cannot be measured may have written anything.
    const weight = ({ failures, usedBytes }: Watched): number =>
      failures > 0 ? Number.MAX_VALUE : Math.floor((16 * usedBytes) / this.#deps.diskLimitBytes);
    const seconds = ({ tookMs }: Watched): number => Math.floor(tookMs / 1000);
    const [most] = [...this.#jobs]
      .filter((job) => !isLeaving(job))
      .toReversed()
      .sort((a, b) => weight(b) - weight(a) || seconds(b) - seconds(a));
    if (most === undefined) return;
    this.#evictedAt = now;
    most.end.evict('this host is running out of disk');
  }
}

function isLeaving({ end, hasLeft }: Watched): boolean {
  return hasLeft || end.signal.aborted;
}
