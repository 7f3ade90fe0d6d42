import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { nextPollMs } from '../../domain/gpu-cordon.ts';
import type { GpuProbe } from '../../domain/ports/gpu.ts';
import { Notifier } from '../../lib/notifier.ts';

/** What a look at the GPUs has shown: the GPUs, or why they cannot be seen. */
export type GpuSnapshot = { readonly gpus: readonly Gpu[] } | { readonly error: AgentError };

/** So many polls after something has smelled, the next ones are as far apart as ever. */
const CALM = 10;

/** Looks at the GPUs: every minute, sooner after something has smelled, and at once for whoever asks. */
export class GpuPoller {
  readonly #probe: GpuProbe;
  readonly #onBegin: () => (look: GpuSnapshot) => void;
  readonly #signal: AbortSignal;
  readonly #wake = new Notifier();
  #since = CALM;
  /** Whether the wait for the next look was broken off, to be begun anew and shorter. */
  #anomaly = false;
  #underWay: Promise<GpuSnapshot> | undefined;
  #next: Promise<GpuSnapshot> | undefined;

  /** `onBegin` is called when a look begins, and what it answers when that look has shown something. */
  constructor(deps: {
    readonly probe: GpuProbe;
    readonly onBegin: () => (look: GpuSnapshot) => void;
    /** Ends everything here. */
    readonly signal: AbortSignal;
  }) {
    this.#probe = deps.probe;
    this.#onBegin = deps.onBegin;
    this.#signal = deps.signal;
  }

  /** Looks again and again until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#wake.wait(signal, nextPollMs(this.#since));
      if (signal.aborted) return;
      if (this.#anomaly) {
        this.#anomaly = false;
        continue;
      }
      this.#since += 1;
      await this.poll();
    }
  }

  /** Something smelled: the next polls come sooner. */
  reportAnomaly(): void {
    if (this.#since === 0) return;
    this.#since = 0;
    this.#anomaly = true;
    this.#wake.notify();
  }

  /** A look that begins after this call; all who wait for one share it. Never rejects. */
  poll(): Promise<GpuSnapshot> {
    if (this.#underWay === undefined) {
      this.#underWay = this.#pollOnce().finally(() => {
        this.#underWay = undefined;
      });
      return this.#underWay;
    }
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      return this.poll();
    });
    return this.#next;
  }

  async #pollOnce(): Promise<GpuSnapshot> {
    const onPoll = this.#onBegin();
    const told = (look: GpuSnapshot): GpuSnapshot => {
      if (!this.#signal.aborted) onPoll(look);
      return look;
    };
    try {
      return told({ gpus: await this.#probe.gpus(this.#signal) });
    } catch (thrown) {
      return told({ error: asAgentError(thrown) });
    }
  }
}
