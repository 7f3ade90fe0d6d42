import { idleWatts, type MeasuredPower, withWatts } from '../../domain/power-model.ts';
import type { GpuUse } from '../gpu-health/rollup-recorder.ts';

/** An idle mean is of so long; the first counts from so long on, until it is complete. */
const BLOCK_MS = 600_000;
const FIRST_MS = 5_000;

/** So long after a job a GPU is not idle yet: its clocks and what ended on it come down by and by. */
const SETTLE_MS = 30_000;

/** The watts of GPUs without jobs, and of jobs. */
export class MeasuredPowers {
  readonly #known: Map<string, MeasuredPower>;
  /** The idle time that is not a whole block yet, by GPU. */
  readonly #blocks = new Map<string, { readonly ms: number; readonly joules: number }>();
  /** When the last job was on each GPU, by the monotonic clock. */
  readonly #busyAt = new Map<string, number>();
  /** What is not written yet. */
  readonly #changed = new Set<string>();

  constructor(known: ReadonlyMap<string, MeasuredPower>) {
    this.#known = new Map(known);
  }

  of(gpu: string): MeasuredPower | undefined {
    return this.#known.get(gpu);
  }

  /** What the GPU takes idle; undefined: not known yet. */
  idleW(gpu: string): number | undefined {
    const known = idleWatts(this.#known.get(gpu)?.idleW ?? []);
    if (known !== undefined) return known;
    const block = this.#blocks.get(gpu);
    return block === undefined || block.ms < FIRST_MS ? undefined : wattsOf(block);
  }

  /** A job is on the GPU, or was until now. */
  busy(gpu: string, now: number): void {
    this.#busyAt.set(gpu, now);
  }

  /** The GPU had no job on it. */
  addIdle({ gpu, joules, ms, since }: GpuUse): void {
    if (since < (this.#busyAt.get(gpu) ?? Number.NEGATIVE_INFINITY) + SETTLE_MS) return;
    const before = this.#blocks.get(gpu) ?? { ms: 0, joules: 0 };
    const block = { ms: before.ms + ms, joules: before.joules + joules };
    this.#blocks.set(gpu, block);
    if (block.ms >= BLOCK_MS) this.#addBlock(gpu, block);
  }

  /** What a job took on a GPU or slice while it ran. */
  addBusy(gpu: string, watts: number): void {
    this.#add(gpu, 'busy', watts);
  }

  /** What has changed since it was last written, and what to call once it is. */
  take(): { readonly powers: readonly MeasuredPower[]; written(): void } {
    // So that a restart in its first minutes does not lose what a first block says.
    for (const [gpu, block] of this.#blocks)
      if (block.ms >= FIRST_MS && (this.#known.get(gpu)?.idleW ?? []).length === 0)
        this.#addBlock(gpu, block);
    const powers = [...this.#changed].flatMap((gpu) => this.#known.get(gpu) ?? []);
    return { powers, written: () => this.#changed.clear() };
  }

  #addBlock(gpu: string, block: { readonly ms: number; readonly joules: number }): void {
    this.#blocks.delete(gpu);
    this.#add(gpu, 'idle', wattsOf(block));
  }

  #add(gpu: string, kind: 'idle' | 'busy', watts: number): void {
    const known = this.#known.get(gpu) ?? { gpu, idleW: [], busyW: [] };
    this.#known.set(gpu, withWatts(known, kind, watts));
    this.#changed.add(gpu);
  }
}

function wattsOf({ joules, ms }: { readonly ms: number; readonly joules: number }): number {
  return (joules * 1_000) / ms;
}
