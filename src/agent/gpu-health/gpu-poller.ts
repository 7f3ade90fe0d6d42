import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { nextLookMs } from '../../domain/gpu-cordon.ts';
import type { GpuProbe } from '../../domain/ports.ts';
import { Wake } from '../../lib/notifier.ts';

/** What a look at the GPUs has shown: the GPUs, or why they cannot be seen. */
export type Look = { readonly gpus: readonly Gpu[] } | { readonly error: AgentError };

/** So many looks after something has smelled, the next ones are as far apart as ever. */
const CALM = 10;

/** Looks at the GPUs: every minute, sooner after something has smelled, and at once for whoever asks. */
export class GpuLooks {
  readonly #probe: GpuProbe;
  readonly #onBegin: () => (look: Look) => void;
  readonly #signal: AbortSignal;
  readonly #wake = new Wake();
  #since = CALM;
  /** Whether the wait for the next look was broken off, to be begun anew and shorter. */
  #smelled = false;
  #underWay: Promise<Look> | undefined;
  #next: Promise<Look> | undefined;

  /** `onBegin` is called when a look begins, and what it answers when that look has shown something. */
  constructor(deps: {
    readonly probe: GpuProbe;
    readonly onBegin: () => (look: Look) => void;
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
      await this.#wake.wait(signal, nextLookMs(this.#since));
      if (signal.aborted) return;
      if (this.#smelled) {
        this.#smelled = false;
        continue;
      }
      this.#since += 1;
      await this.fresh();
    }
  }

  /** Something smelled: the next looks come sooner. */
  soon(): void {
    if (this.#since === 0) return;
    this.#since = 0;
    this.#smelled = true;
    this.#wake.ring();
  }

  /** A look that begins after this call; all who wait for one share it. Never rejects. */
  fresh(): Promise<Look> {
    if (this.#underWay === undefined) {
      this.#underWay = this.#look().finally(() => {
        this.#underWay = undefined;
      });
      return this.#underWay;
    }
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      return this.fresh();
    });
    return this.#next;
  }

  async #look(): Promise<Look> {
    const onLook = this.#onBegin();
    const told = (look: Look): Look => {
      if (!this.#signal.aborted) onLook(look);
      return look;
    };
    try {
      return told({ gpus: await this.#probe.gpus(this.#signal) });
    } catch (thrown) {
      return told({ error: asAgentError(thrown) });
    }
  }
}
