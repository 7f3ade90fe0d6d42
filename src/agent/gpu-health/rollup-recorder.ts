import { asAgentError } from '../../domain/errors.ts';
import {
  energyJ,
  type GpuRollup,
  MAX_GAP_MS,
  merged,
  rollupsBetween,
  type TimedSample,
} from '../../domain/gpu-rollup.ts';
import type { GpuSample } from '../../domain/gpu-sample.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuRollups } from '../../domain/ports/gpu-rollups.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { LIMITS } from '../../limits.ts';

/** Between two writes. In milliseconds. */
const WRITE_MS = 60_000;

export type RollupRecorderDeps = {
  readonly rollups: GpuRollups;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the daemon ends: what is not written yet is written then. */
  readonly signal: AbortSignal;
};

/** What a GPU took in a time in which its power was known; `at` is in that time, or in the minute that it began in. */
export type GpuUse = {
  readonly gpu: string;
  readonly at: number;
  /** When it began at the earliest, by the monotonic clock. */
  readonly since: number;
  readonly ms: number;
  readonly joules: number;
};

/** Keeps what GPUs do, minute by minute; writes it once a minute. A disk that refuses it stops nothing. */
export class RollupRecorder {
  /** Notified of what each GPU took, piece by piece. */
  readonly used = new Notifier<GpuUse>();
  readonly #deps: RollupRecorderDeps;
  /** The last sample of each GPU. */
  readonly #last = new Map<string, TimedSample>();
  /** What is not written yet, by GPU and minute. */
  readonly #pending = new Map<string, GpuRollup>();
  readonly #problem = new OncePerChange();
  #writtenAt: number;

  constructor(deps: RollupRecorderDeps) {
    this.#deps = deps;
    this.#writtenAt = deps.clock.monotonic();
    deps.signal.addEventListener('abort', () => this.#write(), { once: true });
  }

  record(samples: readonly GpuSample[]): void {
    const readAt = this.#deps.clock.monotonic();
    for (const sample of samples) this.#take(sample, readAt);
    if (readAt - this.#writtenAt >= WRITE_MS) this.#write();
  }

  /**
   * A job begins or ends on the GPU now: up to here it was as in its last sample, so that none of its use is both before and
   * after. What is longer ago than a gap may be is not known.
   */
  split(gpu: string): void {
    const { clock } = this.#deps;
    const last = this.#last.get(gpu);
    if (last === undefined) return;
    const readAt = clock.monotonic();
    if (readAt - last.readAt > MAX_GAP_MS) this.#last.delete(gpu);
    else this.#take({ ...last.sample, at: clock.now() }, readAt);
  }

  #take(sample: GpuSample, readAt: number): void {
    const gpu = sample.uuid;
    const before = this.#last.get(gpu);
    const now = { sample, readAt };
    this.#last.set(gpu, now);
    if (before === undefined) return;
    for (const rollup of rollupsBetween(before, now)) {
      this.#add(rollup);
      const joules = energyJ(rollup);
      const ms = rollup.figures.powerW?.knownMs ?? 0;
      if (joules !== undefined)
        this.used.notify({ gpu, at: rollup.start, since: before.readAt, ms, joules: Math.max(joules, 0) });
    }
    // Powered down it takes nothing, which nothing can be asked about.
    const ms = Math.min(readAt - before.readAt, MAX_GAP_MS);
    if (before.sample.asleep && sample.asleep && ms > 0)
      this.used.notify({ gpu, at: sample.at, since: before.readAt, ms, joules: 0 });
  }

  #add(rollup: GpuRollup): void {
    const key = `${rollup.gpu} ${rollup.start}`;
    const known = this.#pending.get(key);
    this.#pending.set(key, known === undefined ? rollup : merged(known, rollup));
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > LIMITS.journal.unwrittenMinutes.max && oldest !== undefined)
      this.#pending.delete(oldest);
  }

  #write(): void {
    const { clock, log, rollups } = this.#deps;
    this.#writtenAt = clock.monotonic();
    if (this.#pending.size === 0) return;
    try {
      rollups.add([...this.#pending.values()]);
      this.#pending.clear();
      this.#problem.forget('');
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      if (this.#problem.isNew(code))
        log.warn({ event: 'gpu-use-not-written', code }, `use of GPUs not written: ${message}`);
    }
  }
}
