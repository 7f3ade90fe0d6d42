import { AgentError } from '../domain/errors.ts';
import type { Gpu } from '../domain/gpu.ts';
import type { GpuProcess } from '../domain/gpu-memory.ts';
import type { GpuProbe } from '../domain/ports/gpu.ts';
import { type Field, fieldsOf, type GpuRow, parseGpus, parseProcesses } from './csv.ts';
import { parseSlices } from './mig.ts';
import { NvidiaSmi, type NvidiaSmiOptions } from './nvidia-smi.ts';
import { smiError } from './smi-failure.ts';

/** Reads the GPUs of this host from nvidia-smi. */
export class NvidiaProbe implements GpuProbe {
  readonly #program: string;
  readonly #smi: Pick<NvidiaSmi, 'run'>;
  /** The fields that the driver knows; undefined if the driver may have changed. */
  #fields: readonly Field[] | undefined;
  #driver: string | undefined;

  /** `smi` is for tests. */
  constructor(options: NvidiaSmiOptions, smi: Pick<NvidiaSmi, 'run'> = new NvidiaSmi(options)) {
    this.#program = options.program;
    this.#smi = smi;
  }

  /** All GPUs in nvidia-smi's order, at least one. Throws GPU_NONE, GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  async gpus(signal: AbortSignal): Promise<readonly Gpu[]> {
    try {
      const gpus = await this.#rows(signal);
      const slices = gpus.some(({ migMode }) => migMode)
        ? parseSlices((await this.#smi.run(['-L'], signal)).stdout)
        : undefined;
      this.#noteDriver(gpus[0]?.driver);
      return gpus.map((gpu) => ({ ...gpu, slices: gpu.migMode ? (slices?.get(gpu.uuid) ?? []) : [] }));
    } catch (thrown) {
      this.#fields = undefined;
      this.#driver = undefined;
      throw thrown;
    }
  }

  /** The compute processes of all GPUs. Throws GPU_NONE, GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  async processes(signal: AbortSignal): Promise<readonly GpuProcess[]> {
    const query = ['--query-compute-apps=pid,gpu_uuid,used_memory', '--format=csv,noheader,nounits'];
    return parseProcesses((await this.#smi.run(query, signal)).stdout);
  }

  async #rows(signal: AbortSignal): Promise<readonly GpuRow[]> {
    this.#fields ??= fieldsOf((await this.#smi.run(['--help-query-gpu'], signal)).stdout);
    const fields = this.#fields;
    const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
    const result = await this.#smi.run(query, signal);
    const gpus = parseGpus(result.stdout, fields, result.code !== 0);
    if (gpus.length > 0) return gpus;
    if (result.code !== 0) throw smiError(result, this.#program);
    throw new AgentError('GPU_NONE', 'nvidia-smi shows no GPU');
  }

  /** A new driver may know other fields. */
  #noteDriver(driver: string | undefined): void {
    if (this.#driver !== undefined && this.#driver !== driver) this.#fields = undefined;
    this.#driver = driver;
  }
}
