import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { anySignal } from '../../../lib/deadline.ts';
import { sleep } from '../../../lib/sleep.ts';
import { type StreamFrame, StreamFrames } from '../output/stream-frames.ts';

/** A stream of a container's output at the engine. */
export type EngineStream = {
  /** Opens it; an abort ends it with an error. */
  open(signal: AbortSignal): Promise<AsyncIterable<string | Uint8Array>>;
  /** Whether the container has ended. Throws CONTAINER_GONE. */
  ended(signal: AbortSignal): Promise<boolean>;
};

/** How long a stream may be silent before it is asked whether the container still runs, in milliseconds. */
const SILENCE_MS = 5_000;

/**
 * Reads a stream to its end. Some engines never close it: one that stays silent although its container has ended is
 * `cut`. Throws RUNTIME_UNAVAILABLE where it breaks off, and what `take` throws.
 */
export async function readStream(
  source: EngineStream,
  take: (frame: StreamFrame) => void,
  signal: AbortSignal,
): Promise<'ended' | 'cut'> {
  const over = new AbortController();
  const either = anySignal(signal, over.signal);
  const frames = new StreamFrames();
  const watch = { chunks: 0, cut: false };
  const cut = (): void => {
    watch.cut = true;
    over.abort();
  };
  let watching: Promise<void> | undefined;
  try {
    const stream = await source.open(either);
    watching = cutWhenEnded(source, watch, cut, either);
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) throw new AgentError('INTERNAL', 'an output stream of no bytes');
      watch.chunks += 1;
      frames.push(chunk, take);
    }
  } catch (thrown) {
    if (!watch.cut) throw asAgentError(thrown, 'RUNTIME_UNAVAILABLE');
  } finally {
    over.abort();
    await watching;
  }
  if (watch.cut) return 'cut';
  if (frames.whole) return 'ended';
  throw new AgentError('RUNTIME_UNAVAILABLE', 'the container’s output broke off within a message');
}

/** Cuts a stream that stays silent although its container has ended. */
async function cutWhenEnded(
  source: EngineStream,
  watch: { readonly chunks: number },
  cut: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const before = watch.chunks;
    if (!(await sleep(SILENCE_MS, signal))) return;
    if (watch.chunks !== before) continue;
    try {
      const ended = await source.ended(signal);
      if (signal.aborted) return;
      if (ended && watch.chunks === before) return cut();
    } catch (thrown) {
      // The stream has ended meanwhile, or nobody wants it any more.
      if (signal.aborted) return;
      if (asAgentError(thrown).code === 'CONTAINER_GONE') return cut();
      // The engine is away for now: its stream breaks by itself, or the next look tells.
    }
  }
}
