import { AgentError } from '../domain/errors.ts';
import type { GpuSample } from '../domain/gpu-sample.ts';
import type { Platform } from '../domain/platform.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import { LIMITS } from '../limits.ts';
import { MAX_NOTICES } from './notices.ts';
import type { NvidiaSmi } from './nvidia-smi.ts';
import { type Column, sampleIn } from './sample-row.ts';
import { smiFailure } from './smi-failure.ts';

/** What is kept of its error output, in characters. */
const MAX_STDERR = 2_000;
const HINT = 'see whether nvidia-smi works by hand; the agent tries again by itself';

export type SampleStreamDeps = {
  readonly smi: Pick<NvidiaSmi, 'run' | 'follow'>;
  /** For messages. */
  readonly program: string;
  readonly platform: Platform;
  readonly clock: Clock;
};

export type StreamOptions = {
  readonly columns: readonly Column[];
  readonly intervalMs: number;
  /** How long it may take to the first row, and then from round to round. */
  readonly startMs: number;
  readonly silentMs: number;
  readonly onSamples: (samples: readonly GpuSample[]) => void;
  readonly signal: AbortSignal;
};

/** The query of a sample. */
export function sampleQuery(columns: readonly Column[]): readonly string[] {
  return [`--query-gpu=${columns.map(({ field }) => field).join(',')}`, '--format=csv,noheader,nounits'];
}

/** The samples among these lines; the others are added to `others`, as far as there is room. */
export function samplesIn(
  lines: readonly string[],
  {
    at,
    columns,
    others,
  }: { readonly at: number; readonly columns: readonly Column[]; readonly others: string[] },
): readonly GpuSample[] {
  return lines.flatMap((line) => {
    const sample = sampleIn(line, columns, at);
    if (sample === undefined && line.trim() !== '' && others.length < MAX_NOTICES)
      others.push(line.slice(0, LIMITS.host.smiLine.max));
    return sample ?? [];
  });
}

/**
 * Follows one nvidia-smi that prints a round of rows every `intervalMs`, until it ends by itself. Throws the reason of
 * `signal`, and GPU_* where it fails, falls silent or prints without end.
 */
export async function followSamples(
  { clock, platform, program, smi }: SampleStreamDeps,
  { columns, startMs, intervalMs, onSamples, signal, silentMs }: StreamOptions,
): Promise<void> {
  const maxBytes = LIMITS.host.smiSamples.max;
  const bucket = new TokenBucket(maxBytes, () => clock.monotonic());
  const others: string[] = [];
  let rounds = 0;
  let stderr = '';
  const silent = (ms: number): AgentError => hung(`nvidia-smi printed no row for ${ms / 1000} s`);
  const code = await withDeadline({ ms: startMs, error: silent, signal }, (either, extend) =>
    smi.follow([...sampleQuery(columns), '-lms', `${intervalMs}`], {
      signal: either,
      onLines: (lines, length) => {
        if (bucket.take(length, maxBytes / 4) < 0)
          throw failed('nvidia-smi prints far more than one round of rows a second');
        const samples = samplesIn(lines, { at: clock.now(), columns, others });
        if (samples.length === 0) return;
        rounds += 1;
        others.length = 0;
        extend(silentMs);
        onSamples(samples);
      },
      onStderr: (text) => void (stderr = (stderr + text).slice(-MAX_STDERR)),
    }),
  );
  if (code !== 0 || rounds === 0)
    throw smiFailure({ code, stdout: others.join('\n'), stderr }, program, platform);
}

function hung(message: string): AgentError {
  return new AgentError('GPU_PROBE_HUNG', message, { hint: HINT });
}

function failed(message: string): AgentError {
  return new AgentError('GPU_PROBE_FAILED', message, { hint: HINT });
}
