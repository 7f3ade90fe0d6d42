import type { Gpu } from '../domain/gpu.ts';
import type { GpuProcess } from '../domain/gpu-memory.ts';
import type { GpuProbe } from '../domain/ports.ts';
import { type AcceptableRisk, type Risk, risksOf, type Surroundings } from '../domain/risks.ts';
import type { Log } from '../lib/log.ts';

export type RiskWatchDeps = {
  readonly probe: GpuProbe;
  /** What jobs run in, but for the driver, which the GPUs tell. Throws where the engine does not answer. */
  readonly surroundings: (signal: AbortSignal) => Promise<Omit<Surroundings, 'nvidia-driver'>>;
  readonly accepted: readonly AcceptableRisk[];
  readonly log: Log;
};

/**
 * A probe of the GPUs that also looks whether they may be given to strangers at all: each time, since what is found
 * may have been updated meanwhile. A GPU that may not is faulty. Tells the risks when they change.
 */
export class RiskWatch implements GpuProbe {
  readonly #deps: RiskWatchDeps;
  #refusal: Risk | undefined;
  #told = '';

  constructor(deps: RiskWatchDeps) {
    this.#deps = deps;
  }

  /** Why no GPU may be offered, as last seen; undefined: nothing is known against it. */
  get refusal(): { readonly why: string; readonly mend: string } | undefined {
    return this.#refusal === undefined ? undefined : { why: this.#refusal.what, mend: this.#refusal.mend };
  }

  /** As the port says. */
  async gpus(signal: AbortSignal): Promise<readonly Gpu[]> {
    try {
      const gpus = await this.#deps.probe.gpus(signal);
      await this.#look(gpus[0]?.driver, true, signal);
      const fault = this.#refusal?.what;
      return fault === undefined ? gpus : gpus.map((gpu) => ({ ...gpu, fault: gpu.fault ?? fault }));
    } catch (thrown) {
      await this.#look(undefined, false, signal);
      throw thrown;
    }
  }

  /** As the port says. */
  async processes(signal: AbortSignal): Promise<readonly GpuProcess[]> {
    return (await this.#deps.probe.processes?.(signal)) ?? [];
  }

  async #look(driver: string | undefined, gpu: boolean, signal: AbortSignal): Promise<void> {
    const { accepted, surroundings } = this.#deps;
    let seen: Omit<Surroundings, 'nvidia-driver'>;
    try {
      seen = await surroundings(signal);
    } catch {
      // An engine that is away runs nothing; what is known of it stays, and its own line tells that it is away.
      return;
    }
    const risks = risksOf({ ...seen, 'nvidia-driver': driver }, { gpu, accepted });
    this.#refusal = risks.find(({ severity }) => severity === 'refuse');
    const telling = risks.map(({ what }) => what).join('; ');
    if (telling === this.#told) return;
    this.#told = telling;
    for (const { mend, severity, what } of risks) {
      if (severity === 'refuse') this.#deps.log.error({ mend }, `no GPU is offered: ${what}`);
      else this.#deps.log.warn({ mend }, `risk: ${what}`);
    }
  }
}
