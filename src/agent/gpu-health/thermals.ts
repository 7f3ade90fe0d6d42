import type { Gpu } from '../../domain/gpu.ts';
import { type GpuSample, isThermal } from '../../domain/gpu-sample.ts';
import {
  coolAgainC,
  isTooHot,
  NOT_THROTTLING,
  type Throttling,
  throttlingAfter,
} from '../../domain/gpu-temperature.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Observer } from '../events/events.ts';
import type { GpuCordons } from './cordons.ts';

const HINT =
  'clean its fans and filters, and give it more air; or lower its power limit (sudo nvidia-smi -pl WATTS)';

export type ThermalsDeps = {
  /** The temperature from which a GPU gets no new jobs, in degrees Celsius; Infinity: none. */
  readonly maxGpuTemperature: (gpu: Gpu) => number;
  readonly cordons: Pick<GpuCordons, 'get' | 'cordon' | 'uncordon' | 'name'>;
  readonly observe: Observer;
  readonly clock: Clock;
};

type State = { readonly throttling: Throttling; readonly readAt: number };

/** Cordons GPUs that are too hot, and reports those that heat slows down. Jobs that run go on. */
export class Thermals {
  readonly #deps: ThermalsDeps;
  readonly #gpus = new Map<string, Gpu>();
  readonly #states = new Map<string, State>();

  constructor(deps: ThermalsDeps) {
    this.#deps = deps;
  }

  /** Whether a GPU is cordoned because it is too hot. */
  get isAnyTooHot(): boolean {
    return [...this.#gpus.keys()].some((uuid) => this.#deps.cordons.get('temperature', uuid) !== undefined);
  }

  /** Learns which GPUs there are. */
  learn(gpus: readonly Gpu[]): void {
    for (const gpu of gpus) this.#gpus.set(gpu.uuid, gpu);
  }

  record(samples: readonly GpuSample[]): void {
    for (const sample of samples) {
      this.#checkTemperature(sample);
      this.#checkThrottling(sample);
    }
  }

  #checkTemperature(sample: GpuSample): void {
    const { cordons, maxGpuTemperature } = this.#deps;
    const { uuid } = sample;
    const gpu = this.#gpus.get(uuid);
    if (gpu === undefined) return;
    const limitC = maxGpuTemperature(gpu);
    const wasTooHot = cordons.get('temperature', uuid) !== undefined;
    const isHot = isTooHot(limitC, sample, wasTooHot);
    if (isHot === wasTooHot) return;
    if (!isHot) return cordons.uncordon('temperature', uuid);
    cordons.cordon('temperature', uuid, {
      why: `it is too hot: it reached ${limitC} °C, and gets jobs again at ${coolAgainC(limitC)} °C`,
      hint: `${HINT}; or set --max-gpu-temperature higher`,
    });
  }

  #checkThrottling(sample: GpuSample): void {
    const { clock, cordons, observe } = this.#deps;
    const { temperatureC, throttle, uuid } = sample;
    const readAt = clock.monotonic();
    const before = this.#states.get(uuid) ?? { throttling: NOT_THROTTLING, readAt };
    const throttling = throttlingAfter(before.throttling, isThermal(sample), readAt - before.readAt);
    this.#states.set(uuid, { throttling, readAt });
    if (throttling.isLasting === before.throttling.isLasting) return;
    const gpu = cordons.name(uuid);
    if (throttling.isLasting)
      observe({ kind: 'gpu-throttled', gpu, reasons: throttle, temperatureC, hint: HINT });
    else observe({ kind: 'gpu-unthrottled', gpu });
  }
}
