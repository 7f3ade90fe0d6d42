import { asAgentError } from '../domain/errors.ts';
import type { Gpu } from '../domain/gpu.ts';
import type { GpuProbe } from '../domain/ports.ts';
import type { Log } from '../lib/log.ts';
import { Wake } from './wake.ts';

/** The GPUs are looked at this often while the daemon runs. */
const EVERY_MS = 60_000;

/** Which of the offered GPUs (uuids of GPUs and slices) must not get new jobs now, and why. Pure. */
export function unwell(offered: ReadonlySet<string>, gpus: readonly Gpu[]): ReadonlyMap<string, string> {
  const well = new Set<string>();
  const faults = new Map<string, string>();
  for (const gpu of gpus) {
    for (const uuid of [gpu.uuid, ...gpu.slices.map((slice) => slice.uuid)]) {
      if (gpu.fault === undefined) well.add(uuid);
      else faults.set(uuid, gpu.fault);
    }
  }
  const out = [...offered].filter((uuid) => !well.has(uuid));
  return new Map(out.map((uuid) => [uuid, faults.get(uuid) ?? 'it is not there any more']));
}

/** Keeps jobs off GPUs that are not well. A probe that fails or hangs keeps them off all; what runs is left alone. */
export class GpuWatch {
  readonly #probe: GpuProbe;
  readonly #log: Log;
  readonly #keepOut: (gpus: ReadonlySet<string>) => void;
  readonly #onGpus: (gpus: readonly Gpu[]) => void;
  readonly #sooner = new Wake();
  #said = '';

  /** `keepOut` is told after every look which GPUs must not get new jobs; `onGpus` which there are. */
  constructor(deps: {
    readonly probe: GpuProbe;
    readonly log: Log;
    readonly keepOut: (gpus: ReadonlySet<string>) => void;
    readonly onGpus: (gpus: readonly Gpu[]) => void;
  }) {
    this.#probe = deps.probe;
    this.#log = deps.log;
    this.#keepOut = deps.keepOut;
    this.#onGpus = deps.onGpus;
  }

  /** Looks again and again at the GPUs that are on offer at that time. */
  async work(offered: () => ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#sooner.wait(signal, EVERY_MS);
      if (signal.aborted) return;
      await this.look(offered(), signal);
    }
  }

  /** Looks as soon as may be: the host has slept. */
  now(): void {
    this.#sooner.ring();
  }

  /** One look. Never throws. */
  async look(offered: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    try {
      const gpus = await this.#probe.gpus(signal);
      const out = unwell(offered, gpus);
      this.#keepOut(new Set(out.keys()));
      this.#say([...out].map(([uuid, why]) => `${uuid}: ${why}`).join('; '));
      this.#onGpus(gpus);
    } catch (thrown) {
      if (signal.aborted) return;
      this.#keepOut(offered);
      const error = asAgentError(thrown);
      // A host that has no GPU on offer misses none.
      if (offered.size > 0) this.#say(`${error.code}: ${error.message}`);
    }
  }

  /** Tells what has changed, and nothing while it stays so. */
  #say(trouble: string): void {
    if (trouble === this.#said) return;
    this.#said = trouble;
    if (trouble === '') this.#log.info({}, 'all GPUs are well again');
    else this.#log.warn({ trouble }, `GPUs that get no new jobs: ${trouble}`);
  }
}
