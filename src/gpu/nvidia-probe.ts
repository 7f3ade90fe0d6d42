import { AgentError } from '../domain/errors.ts';
import type { Gpu, GpuReading } from '../domain/gpu.ts';
import type { GpuProcess } from '../domain/gpu-memory.ts';
import type { Platform } from '../domain/platform.ts';
import type { GpuProbe } from '../domain/ports/gpu.ts';
import type { ProgramResult } from '../lib/process.ts';
import { type GpuRow, parseGpus, parseProcesses } from './csv.ts';
import { COMPUTE_QUERY, type Field, fieldsOf } from './fields.ts';
import { parseSlices } from './mig.ts';
import { minorInProc, minorsInXml } from './minor-numbers.ts';
import { noticesOf } from './notices.ts';
import { NvidiaSmi, type NvidiaSmiOptions } from './nvidia-smi.ts';
import { smiFailure } from './smi-failure.ts';

export type NvidiaProbeOptions = NvidiaSmiOptions & {
  /** What kind of host this is, for hints; an ordinary one by default. */
  readonly platform?: Platform;
};

type Rows = { readonly gpus: readonly GpuRow[]; readonly others: readonly string[] };

const SICK_HINT = 'look for a sick GPU in the kernel’s log (journalctl -k | grep -i nvrm), then reboot';
const SLOW_HINT = `turn on persistence mode, without which each call starts the driver again (sudo nvidia-smi -pm 1, or the service nvidia-persistenced), or set --nvidia-smi-timeout higher; if that does not help, ${SICK_HINT}`;

/** Reads the GPUs of this host from nvidia-smi. */
export class NvidiaProbe implements GpuProbe {
  readonly #program: string;
  readonly #platform: Platform;
  readonly #smi: Pick<NvidiaSmi, 'run'>;
  /** The fields that the driver knows; undefined if the driver may have changed. */
  #fields: readonly Field[] | undefined;
  #driver: string | undefined;
  /** Whether all GPUs had persistence mode when they were last seen. */
  #persistent = false;

  /** `smi` is for tests. */
  constructor(options: NvidiaProbeOptions, smi: Pick<NvidiaSmi, 'run'> = new NvidiaSmi(options)) {
    this.#program = options.program;
    this.#platform = options.platform ?? 'linux';
    this.#smi = smi;
  }

  /**
   * All GPUs that nvidia-smi lists, at least one, in its order and whatever its exit code, and its other lines. Throws
   * GPU_NONE, GPU_PROBE_FAILED, GPU_PROBE_HUNG.
   */
  async read(signal: AbortSignal): Promise<GpuReading> {
    try {
      const { gpus, others } = await this.#rows(signal);
      const slices = gpus.some(({ migMode }) => migMode)
        ? parseSlices((await this.#call(['-L'], signal)).stdout)
        : undefined;
      this.#noteDriver(gpus[0]?.driver);
      this.#persistent = gpus.every(({ persistence }) => persistence === true);
      return {
        gpus: gpus.map((gpu) => ({ ...gpu, slices: gpu.migMode ? (slices?.get(gpu.uuid) ?? []) : [] })),
        notices: noticesOf(others),
      };
    } catch (thrown) {
      this.#fields = undefined;
      this.#driver = undefined;
      throw thrown;
    }
  }

  /** The compute processes of all GPUs. Throws GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  async processes(signal: AbortSignal): Promise<readonly GpuProcess[]> {
    return parseProcesses((await this.#call(COMPUTE_QUERY, signal)).stdout);
  }

  /** The minor numbers of the GPUs' device files, by uuid. Throws GPU_PROBE_FAILED, GPU_PROBE_HUNG. */
  async minors(gpus: readonly Gpu[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const { busId, uuid } of gpus) {
      const minor = minorInProc(busId);
      if (minor !== undefined) found.set(uuid, minor);
    }
    if (found.size === gpus.length) return found;
    return minorsInXml((await this.#call(['-q', '-x'], signal)).stdout);
  }

  async #rows(signal: AbortSignal): Promise<Rows> {
    const fields = this.#fields ?? (await this.#readFields(signal));
    const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
    const result = await this.#call(query, signal);
    const { others, rows } = parseGpus(result.stdout, fields);
    if (rows.length === 0) throw smiFailure(result, this.#program, this.#platform);
    const said = [...result.stderr.split(/\r?\n/), ...others].filter((line) => line.trim() !== '');
    const isSilent = result.code !== 0 && said.length === 0;
    return { gpus: rows, others: isSilent ? [`nvidia-smi ended with ${codeOf(result)}`] : said };
  }

  /** What it prints may be incomplete on a host with a lost GPU: then it is asked again next time. */
  async #readFields(signal: AbortSignal): Promise<readonly Field[]> {
    const result = await this.#call(['--help-query-gpu'], signal);
    const fields = fieldsOf(result.stdout);
    const isKnown = result.stdout.includes('"uuid"') || result.code === 0;
    if (!isKnown && MEANS_NOTHING_ELSE.has(result.code))
      throw smiFailure(result, this.#program, this.#platform);
    this.#fields = isKnown ? fields : undefined;
    return fields;
  }

  async #call(args: readonly string[], signal: AbortSignal): Promise<ProgramResult> {
    try {
      return await this.#smi.run(args, signal);
    } catch (thrown) {
      if (!(thrown instanceof AgentError && thrown.code === 'GPU_PROBE_HUNG')) throw thrown;
      throw new AgentError('GPU_PROBE_HUNG', thrown.message, {
        cause: thrown,
        hint: this.#persistent ? SICK_HINT : SLOW_HINT,
      });
    }
  }

  /** A new driver may know other fields. */
  #noteDriver(driver: string | undefined): void {
    if (this.#driver !== undefined && this.#driver !== driver) this.#fields = undefined;
    this.#driver = driver;
  }
}

/** Exit codes with which no other call can do better: it cannot be executed, or is not there. */
const MEANS_NOTHING_ELSE: ReadonlySet<ProgramResult['code']> = new Set([126, 127]);

function codeOf({ code }: ProgramResult): string {
  return typeof code === 'number' ? `exit code ${code}` : `signal ${code ?? 'unknown'}`;
}
