import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { anySignal } from '../../../lib/deadline.ts';
import { sleep } from '../../../lib/sleep.ts';
import { type StreamFrame, StreamFrames } from './stream-frames.ts';

/** The source of a container's output stream. */
export type OutputSource = {
  /** Opens the stream. An abort ends it with an error. */
  open(signal: AbortSignal): Promise<AsyncIterable<string | Uint8Array>>;
  /** Whether the container has exited. Throws CONTAINER_GONE. */
  hasExited(signal: AbortSignal): Promise<boolean>;
};

/** After this long without output, in milliseconds, the container's state is checked. */
const SILENCE_MS = 5_000;

/**
 * Reads an output stream to its end. Some engines never close it: a silent stream of an exited container is `cut`.
 * Throws RUNTIME_UNAVAILABLE if it breaks off, and what `onFrame` throws.
 */
export async function readStream(
  source: OutputSource,
  onFrame: (frame: StreamFrame) => void,
  signal: AbortSignal,
  silenceMs = SILENCE_MS,
): Promise<'ended' | 'cut'> {
  const over = new AbortController();
  const either = anySignal(signal, over.signal);
  const frames = new StreamFrames();
  const progress = { chunks: 0, isCut: false };
  const cut = (): void => {
    progress.isCut = true;
    over.abort();
  };
  let watchdog: Promise<void> | undefined;
  try {
    const stream = await source.open(either);
    watchdog = cutAfterExit(source, { progress, cut, silenceMs }, either);
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) throw new AgentError('INTERNAL', 'the output is not bytes');
      progress.chunks += 1;
      frames.push(chunk, onFrame);
    }
  } catch (thrown) {
    if (!progress.isCut) throw asAgentError(thrown, 'RUNTIME_UNAVAILABLE');
  } finally {
    over.abort();
    await watchdog;
  }
  if (progress.isCut) return 'cut';
  if (frames.whole) return 'ended';
  throw new AgentError('RUNTIME_UNAVAILABLE', 'the container’s output broke off inside a frame');
}

/** Cuts a stream that stays silent after its container has exited. */
async function cutAfterExit(
  source: OutputSource,
  {
    cut,
    progress,
    silenceMs,
  }: {
    readonly progress: { readonly chunks: number };
    readonly cut: () => void;
    readonly silenceMs: number;
  },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const before = progress.chunks;
    if (!(await sleep(silenceMs, signal))) return;
    if (progress.chunks !== before) continue;
    try {
      const exited = await source.hasExited(signal);
      if (signal.aborted) return;
      if (exited && progress.chunks === before) return cut();
    } catch (thrown) {
      // The stream has ended meanwhile, or the caller has aborted.
      if (signal.aborted) return;
      if (asAgentError(thrown).code === 'CONTAINER_GONE') return cut();
      // The engine is unreachable: either the stream breaks by itself, or the next check decides.
    }
  }
}
