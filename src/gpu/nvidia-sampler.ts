import { type AgentError, asAgentError } from '../domain/errors.ts';
import type { Gpu } from '../domain/gpu.ts';
import { emptySample, type GpuSample } from '../domain/gpu-sample.ts';
import type { GpuSampler } from '../domain/ports/gpu-samples.ts';
import { backoffMs } from '../lib/backoff.ts';
import { joinSignals } from '../lib/deadline.ts';
import type { Log } from '../lib/log.ts';
import { Notifier } from '../lib/notifier.ts';
import { OncePerChange } from '../lib/once-per-change.ts';
import { sleep } from '../lib/sleep.ts';
import { type Column, columnsOf } from './sample-row.ts';
import { followSamples, type SampleStreamDeps, sampleQuery, samplesIn } from './sample-stream.ts';
import { smiFailure } from './smi-failure.ts';

/** All in milliseconds. */
const TIMING = {
  /** Between two rounds while jobs run on a GPU or somebody watches, and else. */
  intervalMs: 1_000,
  slowMs: 60_000,
  /** The long-lived process stays for so long after the last watcher, who may come back. */
  lingerMs: 10_000,
  /** It is killed after so long without a row. */
  silentMs: 10_000,
  /** Where it ends by itself after its rows, as one that knows no `-lms` does. */
  againMs: 5_000,
  /** After so long without a failure, the next one counts as the first. */
  steadyMs: 60_000,
  backoff: { initialMs: 1_000, maxMs: 60_000 },
};

/** A sample older than this says nothing about now: more than two slow rounds. */
const FRESH_MS = 150_000;

export type NvidiaSamplerDeps = SampleStreamDeps & {
  /** The deadline of one call of nvidia-smi, in milliseconds. */
  readonly deadlineMs: number;
  /** Whether the GPU at this PCI address is powered down. */
  readonly isAsleep: (busId: string) => boolean;
  readonly log: Log;
  /** For tests. */
  readonly timing?: Partial<typeof TIMING>;
};

/**
 * Samples the GPUs of this host: by one long-lived nvidia-smi while jobs run on one or somebody watches, else by a call a
 * minute. Where all of them sleep, none is woken. Never two processes; one that fails is started again, later each time.
 */
export class NvidiaSampler implements GpuSampler {
  readonly sampled = new Notifier<readonly GpuSample[]>();
  readonly #deps: NvidiaSamplerDeps;
  readonly #timing: typeof TIMING;
  /** The PCI addresses of the GPUs by uuid. */
  #gpus: ReadonlyMap<string, string> = new Map();
  #parents: ReadonlyMap<string, string> = new Map();
  readonly #latest = new Map<string, { readonly sample: GpuSample; readonly readAt: number }>();
  /** The columns that the driver knows; undefined if it may have changed. */
  #columns: readonly Column[] | undefined;
  #watchers = 0;
  #linger: NodeJS.Timeout | undefined;
  /** Ends the long-lived process, because nobody watches any more. */
  #stop = new AbortController();
  readonly #wake = new Notifier();
  readonly #problem = new OncePerChange();
  #triedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(deps: NvidiaSamplerDeps) {
    this.#deps = deps;
    this.#timing = { ...TIMING, ...deps.timing };
  }

  latest(uuid: string): GpuSample | undefined {
    const seen = this.#latest.get(this.#parents.get(uuid) ?? uuid);
    if (seen === undefined || this.#deps.clock.monotonic() - seen.readAt > FRESH_MS) return undefined;
    return seen.sample;
  }

  watch(): Disposable {
    this.#watchers += 1;
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#wake.notify();
    let isWatching = true;
    return {
      [Symbol.dispose]: () => {
        if (!isWatching) return;
        isWatching = false;
        this.#watchers -= 1;
        if (this.#watchers > 0) return;
        this.#linger = setTimeout(() => this.#slowDown(), this.#timing.lingerMs);
        this.#linger.unref();
      },
    };
  }

  learn(gpus: readonly Gpu[]): void {
    const hadNone = this.#gpus.size === 0;
    this.#gpus = new Map(gpus.map(({ busId, uuid }) => [uuid, busId]));
    this.#parents = new Map(gpus.flatMap((gpu) => gpu.slices.map(({ uuid }) => [uuid, gpu.uuid])));
    for (const uuid of this.#latest.keys()) if (!this.#gpus.has(uuid)) this.#latest.delete(uuid);
    if (hadNone) this.#wake.notify();
  }

  async work(signal: AbortSignal): Promise<void> {
    const { intervalMs, slowMs } = this.#timing;
    while (!signal.aborted) {
      const leftMs = this.#triedAt + (this.#isFast ? 0 : slowMs) - this.#deps.clock.monotonic();
      if (this.#gpus.size === 0) await this.#wake.wait(signal);
      else if (leftMs > 0) await this.#wake.wait(signal, leftMs);
      else if (this.allAsleep) {
        this.#publishAsleep();
        if (this.#isFast) await sleep(intervalMs, signal);
      } else if (this.#isFast) await this.#sampleFast(signal);
      else await this.#sampleSlowly(signal);
    }
    clearTimeout(this.#linger);
  }

  get allAsleep(): boolean {
    return this.#gpus.size > 0 && [...this.#gpus.values()].every((busId) => this.#deps.isAsleep(busId));
  }

  get #isFast(): boolean {
    return this.#watchers > 0 || this.#linger !== undefined;
  }

  #slowDown(): void {
    this.#linger = undefined;
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  /** Follows a long-lived process to its end, then waits until the next one may be started. */
  async #sampleFast(signal: AbortSignal): Promise<void> {
    const { againMs, backoff, intervalMs, silentMs, steadyMs } = this.#timing;
    const { clock, deadlineMs } = this.#deps;
    const startedAt = clock.monotonic();
    using joined = joinSignals(signal, this.#stop.signal);
    const either = joined.signal;
    let hasRows = false;
    const onSamples = (samples: readonly GpuSample[]): void => {
      hasRows = true;
      if (clock.monotonic() - startedAt >= steadyMs) this.#recover();
      this.#publish(samples);
    };
    try {
      const columns = await this.#readColumns(either);
      await followSamples(this.#deps, {
        columns,
        intervalMs,
        startMs: Math.max(deadlineMs, silentMs),
        silentMs,
        onSamples,
        signal: either,
      });
      await sleep(againMs, either);
    } catch (thrown) {
      if (either.aborted) return;
      this.#fail(asAgentError(thrown), hasRows);
      // One that prints nothing in a loop may still answer a single call.
      if (!hasRows && this.#failures > 1) await this.#sampleOnce(either).catch(() => undefined);
      await sleep(backoffMs(backoff, this.#failures), either);
    }
  }

  async #sampleSlowly(signal: AbortSignal): Promise<void> {
    try {
      await this.#sampleOnce(signal);
      this.#recover();
    } catch (thrown) {
      if (!signal.aborted) this.#fail(asAgentError(thrown), false);
    }
  }

  /** Throws GPU_*. */
  async #sampleOnce(signal: AbortSignal): Promise<void> {
    const { clock, platform, program, smi } = this.#deps;
    this.#triedAt = clock.monotonic();
    const columns = await this.#readColumns(signal);
    const result = await smi.run(sampleQuery(columns), signal);
    const others: string[] = [];
    const samples = samplesIn(result.stdout.split('\n'), { at: clock.now(), columns, others });
    if (samples.length === 0) throw smiFailure(result, program, platform);
    this.#publish(samples);
  }

  async #readColumns(signal: AbortSignal): Promise<readonly Column[]> {
    if (this.#columns !== undefined) return this.#columns;
    const { platform, program, smi } = this.#deps;
    const result = await smi.run(['--help-query-gpu'], signal);
    if (result.code === 126 || result.code === 127) throw smiFailure(result, program, platform);
    this.#columns = columnsOf(result.stdout);
    return this.#columns;
  }

  /** The driver may be another one now; without any row nothing is known of the GPUs any more. */
  #fail({ code, hint, message }: AgentError, hadRows: boolean): void {
    this.#failures += 1;
    this.#columns = undefined;
    if (!hadRows) this.#latest.clear();
    if (this.#problem.isNew(message))
      this.#deps.log.warn({ event: 'gpu-sampling-failed', code, hint }, `GPUs not sampled: ${message}`);
  }

  #recover(): void {
    this.#failures = 0;
    if (this.#problem.forget(''))
      this.#deps.log.info({ event: 'gpu-sampling-recovered' }, 'GPUs are sampled again');
  }

  #publish(all: readonly GpuSample[]): void {
    const readAt = this.#deps.clock.monotonic();
    this.#triedAt = readAt;
    const samples = all.filter(({ uuid }) => this.#gpus.has(uuid));
    for (const sample of samples) this.#latest.set(sample.uuid, { sample, readAt });
    if (samples.length > 0) this.sampled.notify(samples);
  }

  #publishAsleep(): void {
    const at = this.#deps.clock.now();
    this.#publish([...this.#gpus.keys()].map((uuid) => ({ ...emptySample(uuid, at), asleep: true })));
  }
}
