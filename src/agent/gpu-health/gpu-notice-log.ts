import type { GpuReading } from '../../domain/gpu.ts';
import type { GpuLabel } from '../../domain/gpu-cordon.ts';
import { sameBus } from '../../domain/xid.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { Observer } from '../events/events.ts';
import type { GpuCordons } from './cordons.ts';

/** Reports what nvidia-smi says beside its table, and what is odd about GPUs that work: each once, until it is gone. */
export class GpuNoticeLog {
  readonly #observe: Observer;
  readonly #cordons: Pick<GpuCordons, 'addresses' | 'name'>;
  readonly #reported = new OncePerChange();

  constructor(observe: Observer, cordons: Pick<GpuCordons, 'addresses' | 'name'>) {
    this.#observe = observe;
    this.#cordons = cordons;
  }

  report({ gpus, notices }: GpuReading): void {
    const current = new Set<string>();
    const say = (about: string, why: string, hint: string, gpu: GpuLabel | undefined): void => {
      // A time of day or a counter in a line makes no new notice of it.
      const key = `${about} ${why.replace(/\d+/g, '#')}`;
      current.add(key);
      if (this.#reported.isNew('', key)) this.#observe({ kind: 'gpu-notice', gpu, why, hint });
    };
    for (const { busId = '', hint, text } of notices) say(busId, text, hint, this.#gpuAt(busId));
    for (const { uuid, warnings = [] } of gpus)
      for (const { hint, why } of warnings) say(uuid, why, hint, this.#cordons.name(uuid));
    this.#reported.retain((key) => current.has(key));
  }

  #gpuAt(busId: string): GpuLabel | undefined {
    const uuid = [...this.#cordons.addresses].find(([, address]) => sameBus(address, busId))?.[0];
    return uuid === undefined ? undefined : this.#cordons.name(uuid);
  }
}
