import { asAgentError } from '../../domain/errors.ts';
import { type GpuRollup, merged, rollupsBetween, type TimedSample } from '../../domain/gpu-rollup.ts';
import type { GpuSample } from '../../domain/gpu-sample.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuRollups } from '../../domain/ports/gpu-rollups.ts';
import type { Log } from '../../lib/log.ts';
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

/** Keeps what GPUs do, minute by minute; writes it once a minute. A disk that refuses it stops nothing. */
export class RollupRecorder {
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
    for (const sample of samples) {
      const before = this.#last.get(sample.uuid);
      const now = { sample, readAt };
      this.#last.set(sample.uuid, now);
      if (before !== undefined) for (const rollup of rollupsBetween(before, now)) this.#add(rollup);
    }
    if (readAt - this.#writtenAt >= WRITE_MS) this.#write();
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
