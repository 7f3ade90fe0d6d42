import { AgentError } from '../domain/errors.ts';
import type { Gpu } from '../domain/gpu.ts';
import type { GpuProcess } from '../domain/gpu-memory.ts';
import type { GpuProbe } from '../domain/ports/gpu.ts';
import { type BareGpu, type Field, fieldsOf, parseGpus } from './csv.ts';
import { parseProcesses } from './gpu-processes.ts';
import { parseSlices } from './mig.ts';
import { NvidiaSmi, type NvidiaSmiOptions } from './nvidia-smi.ts';
import { smiTrouble } from './smi-failure.ts';

/** The GPUs of this host, as nvidia-smi shows them. */
export class NvidiaProbe implements GpuProbe {
  readonly #program: string;
  readonly #smi: NvidiaSmi;
  /** What the driver can be asked; learned anew when the driver may have changed. */
  #fields: readonly Field[] | undefined;
  #driver: string | undefined;

  constructor(options: NvidiaSmiOptions) {
    this.#program = options.program;
    this.#smi = new NvidiaSmi(options);
  }

  /** All GPUs, in nvidia-smi's order, at least one. Throws GPU_NONE, GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  async gpus(signal: AbortSignal): Promise<readonly Gpu[]> {
    try {
      const gpus = await this.#bareGpus(signal);
      const slices = gpus.some(({ migMode }) => migMode)
        ? parseSlices((await this.#smi.run(['-L'], signal)).stdout)
        : undefined;
      this.#notice(gpus[0]?.driver);
      return gpus.map((gpu) => ({ ...gpu, slices: gpu.migMode ? (slices?.get(gpu.uuid) ?? []) : [] }));
    } catch (thrown) {
      this.#fields = undefined;
      this.#driver = undefined;
      throw thrown;
    }
  }

  /** The processes that compute on any GPU. Throws GPU_NONE, GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  async processes(signal: AbortSignal): Promise<readonly GpuProcess[]> {
    const query = ['--query-compute-apps=pid,gpu_uuid,used_memory', '--format=csv,noheader,nounits'];
    return parseProcesses((await this.#smi.run(query, signal)).stdout);
  }

  async #bareGpus(signal: AbortSignal): Promise<readonly BareGpu[]> {
    this.#fields ??= fieldsOf((await this.#smi.run(['--help-query-gpu'], signal)).stdout);
    const fields = this.#fields;
    const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
    const answer = await this.#smi.run(query, signal);
    const gpus = parseGpus(answer.stdout, fields, answer.code !== 0);
    if (gpus.length > 0) return gpus;
    if (answer.code !== 0) throw smiTrouble(answer, this.#program);
    throw new AgentError('GPU_NONE', 'nvidia-smi shows no GPU');
  }

  /** A new driver may have new fields, and may have lost some. */
  #notice(driver: string | undefined): void {
    if (this.#driver !== undefined && this.#driver !== driver) this.#fields = undefined;
    this.#driver = driver;
  }
}
