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

/** A sample; one that was seen earlier than it is said to be read stands for what has been since. */
type Seen = TimedSample & { readonly seenAt: number };

/** Keeps what GPUs do, minute by minute; writes it once a minute. A disk that refuses it stops nothing. */
export class RollupRecorder {
  /** Notified of what each GPU took, piece by piece. */
  readonly used = new Notifier<GpuUse>();
  readonly #deps: RollupRecorderDeps;
  /** The last sample of each GPU. */
  readonly #last = new Map<string, Seen>();
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
    if (readAt - last.seenAt > MAX_GAP_MS) this.#last.delete(gpu);
    else this.#add({ ...last, sample: { ...last.sample, at: clock.now() }, readAt });
  }

  #take(sample: GpuSample, readAt: number): void {
    const last = this.#last.get(sample.uuid);
    // A power that cannot be read for a moment is between those before and after.
    const isPowerLost = last?.sample.powerW !== undefined && sample.powerW === undefined && !sample.asleep;
    if (isPowerLost && readAt - last.seenAt <= MAX_GAP_MS) return;
    this.#add({ sample, readAt, seenAt: readAt });
  }

  /** What lies between the last sample of a GPU and this one. */
  #add(now: Seen): void {
    const { readAt, sample } = now;
    const gpu = sample.uuid;
    const last = this.#last.get(gpu);
    this.#last.set(gpu, now);
    if (last === undefined) return;
    // Of a gap that is split, no more counts than of one that is not.
    const maxMs = MAX_GAP_MS - (last.readAt - last.seenAt);
    const since = Math.max(last.readAt, readAt - maxMs);
    for (const rollup of rollupsBetween({ ...last, readAt: since }, now)) {
      this.#addRollup(rollup);
      const joules = energyJ(rollup);
      const ms = rollup.figures.powerW?.knownMs ?? 0;
      if (joules !== undefined)
        this.used.notify({ gpu, at: rollup.start, since, ms, joules: Math.max(joules, 0) });
    }
    // Powered down it takes nothing, which nothing can be asked about.
    const isAsleep = last.sample.asleep && sample.asleep && readAt > since;
    if (isAsleep) this.used.notify({ gpu, at: sample.at, since, ms: readAt - since, joules: 0 });
  }

  #addRollup(rollup: GpuRollup): void {
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
