import { SIGXFSZ } from '../../domain/outcome.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Exit, Runtime } from '../../domain/ports/runtime.ts';
import type { DiskRoom } from '../../host/free-disk.ts';
import type { JobTermination } from './termination.ts';

/** So often it is looked how much room the disk has; that costs nothing. */
const LOOK_MS = 500;

/** What each job wrote is measured at least this often, which costs a walk through its files. */
const MEASURE_MS = 10_000;

/** The disk must lose at least so much room before jobs are measured out of turn: this, or a part of their limit. */
const LEAST_FALL_BYTES = 64 * 1024 * 1024;
const LEAST_FALL_PART = 1 / 32;

/** After a measurement that took so long, the next waits for this many times as long. */
const PAUSE_PART = 4;

/** So often in a row may a measurement fail, although the engine answers, before the job cannot stay. */
const MOST_FAILURES = 3;

/** Below this part of the files that the disk can hold, jobs have to go. */
const LEAST_FILES = 0.02;

/** A disk with less room than this is full: whoever writes is about to be refused, or has been. */
const FULL_BYTES = 64 * 1024 * 1024;
const FULL_FILES = 0.001;

/** A job that was sent away for its room is waited for this long before another has to go. */
const ROOM_PATIENCE_MS = 30_000;

export type DiskQuotaMonitorDeps = {
  readonly runtime: Pick<Runtime, 'diskBytes' | 'ping' | 'storagePath'>;
  readonly clock: Clock;
  readonly diskRoom: (path: string) => DiskRoom | undefined;
  /** Most bytes that a job may write to its disk. */
  readonly diskLimitBytes: number;
  /** With less free disk than this, nothing is claimed; with less than half of it, jobs that run have to go. */
  readonly leastFreeBytes: number;
};

type Watched = {
  readonly container: string;
  readonly end: JobTermination;
  /** When it was last measured, how long that took, and what room the disk had then. */
  measuredAt: number;
  tookMs: number;
  roomBytes: number | undefined;
  usedBytes: number;
  isMeasured: boolean;
  failures: number;
  /** Whether the disk was full while it ran. */
  sawFull: boolean;
};

/**
 * Watches what jobs write to disk, where the engine does not keep them to their limit by itself, and what that leaves
 * to this host. A job is measured when its time has come, or as soon as the disk has lost half of what it may still
 * write. What cannot be seen on a job, such as files that it has deleted and keeps open, shows on the disk: before that
 * is full, jobs go back to the market, those that wrote most first.
 */
export class DiskQuotaMonitor {
  readonly #deps: DiskQuotaMonitorDeps;
  readonly #jobs = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #sentAwayAt = Number.NEGATIVE_INFINITY;

  constructor(deps: DiskQuotaMonitorDeps) {
    this.#deps = deps;
  }

  /** Watches a container that runs, until that is disposed of; it may be gone then. */
  watch(container: string, end: JobTermination): Disposable {
    const measuredAt = this.#deps.clock.monotonic();
    const roomBytes = this.#room()?.bytes;
    const job: Watched = {
      container,
      end,
      measuredAt,
      roomBytes,
      tookMs: 0,
      usedBytes: 0,
      isMeasured: false,
      failures: 0,
      sawFull: false,
    };
    this.#jobs.add(job);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    return {
      [Symbol.dispose]: () => {
        this.#jobs.delete(job);
        if (this.#jobs.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  /**
   * Why a job that is watched may have failed through this host; undefined: not through its disk. Whoever filled that
   * is found by what it wrote; who then could not write is not to blame.
   */
  fault(container: string, exit: Pick<Exit, 'code' | 'oomKilled'>): string | undefined {
    if (exit.oomKilled || exit.code === 128 + SIGXFSZ) return undefined;
    this.#noteFull(this.#room());
    const job = [...this.#jobs].find((watched) => watched.container === container);
    return job?.sawFull ? 'the disk of this host was full while it ran' : undefined;
  }

  #noteFull(room: DiskRoom | undefined): void {
    if (room === undefined || (room.bytes >= FULL_BYTES && room.files >= FULL_FILES)) return;
    for (const job of this.#jobs) job.sawFull = true;
  }

  #room(): DiskRoom | undefined {
    const { diskRoom, runtime } = this.#deps;
    return runtime.storagePath === undefined ? undefined : diskRoom(runtime.storagePath);
  }

  #look(): void {
    const room = this.#room();
    this.#noteFull(room);
    for (const job of this.#jobs) if (this.#isDue(job, room)) void this.#measure(job, room);
    if (room !== undefined && this.#isShort(room)) this.#sendAway();
  }

  #isDue(job: Watched, room: DiskRoom | undefined): boolean {
    if (job.isMeasured || job.end.signal.aborted) return false;
    const agoMs = this.#deps.clock.monotonic() - job.measuredAt;
    if (agoMs < job.tookMs * PAUSE_PART) return false;
    if (agoMs >= MEASURE_MS) return true;
    const { diskLimitBytes } = this.#deps;
    const leastFall = Math.max(LEAST_FALL_BYTES, diskLimitBytes * LEAST_FALL_PART);
    const fall = (job.roomBytes ?? 0) - (room?.bytes ?? 0);
    return room !== undefined && fall >= Math.max((diskLimitBytes - job.usedBytes) / 2, leastFall);
  }

  async #measure(job: Watched, room: DiskRoom | undefined): Promise<void> {
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
    job.roomBytes = room?.bytes;
    job.isMeasured = false;
  }

  /** A look that fails says nothing of the job where the engine is in trouble; that is told where it matters. */
  async #failed(job: Watched): Promise<void> {
    if (job.end.signal.aborted) return;
    const asked = this.#deps.runtime.ping(job.end.signal);
    const answers = await asked.then(() => true).catch(() => false);
    job.failures = answers ? job.failures + 1 : 0;
    if (job.failures >= MOST_FAILURES) job.end.evict('what it writes to disk cannot be measured');
  }

  #isShort({ bytes, files }: DiskRoom): boolean {
    return bytes < this.#deps.leastFreeBytes / 2 || files < LEAST_FILES;
  }

  /** Gives one job back, and waits for what that changes. */
  #sendAway(): void {
    const now = this.#deps.clock.monotonic();
    const isLeaving = [...this.#jobs].some(({ end }) => end.signal.aborted);
    if (isLeaving && now - this.#sentAwayAt < ROOM_PATIENCE_MS) return;
    // What is little beside the limit explains nothing: then it is the one that came last. Many files take long to
    // measure, however small they are.
    const weight = ({ usedBytes }: Watched): number =>
      Math.floor((16 * usedBytes) / this.#deps.diskLimitBytes);
    const seconds = ({ tookMs }: Watched): number => Math.floor(tookMs / 1000);
    const [most] = [...this.#jobs]
      .filter(({ end }) => !end.signal.aborted)
      .toReversed()
      .sort((a, b) => weight(b) - weight(a) || seconds(b) - seconds(a));
    if (most === undefined) return;
    this.#sentAwayAt = now;
    most.end.evict('this host is running out of disk');
  }
}
