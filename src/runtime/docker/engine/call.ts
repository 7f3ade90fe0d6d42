import { AgentError } from '../../../domain/errors.ts';
import { engineError } from './errors.ts';

/** How long the engine may take for a call, in milliseconds, by what the call does. */
export type EngineDeadlines = {
  /** Looking: inspect, list, info. */
  readonly lookMs: number;
  /** Stop, kill, remove. */
  readonly endMs: number;
  /** Create and start; also measuring a container's disk, which walks its files. */
  readonly makeMs: number;
};

export const ENGINE_DEADLINES: EngineDeadlines = { lookMs: 15_000, endMs: 30_000, makeMs: 60_000 };

/** What a call tries, in words that follow «could not», how long it may take, and what else ends it. */
export type Call = {
  readonly doing: string;
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs one call to the engine under a deadline. Throws RUNTIME_UNAVAILABLE when the time is up, the signal's
 * reason when that was aborted, and otherwise what `explain` makes of the failure.
 * The engine's client may never settle when a connection breaks inside an answer, so its promise is raced.
 */
export async function callEngine<T>(
  call: Call,
  work: (signal: AbortSignal) => Promise<T>,
  explain: (thrown: unknown) => AgentError = (thrown) => engineError(thrown, call.doing),
): Promise<T> {
  call.signal?.throwIfAborted();
  const controller = new AbortController();
  const cut = Promise.withResolvers<never>();
  const late = new AgentError('RUNTIME_UNAVAILABLE', `could not ${call.doing}: no answer in ${call.ms} ms`, {
    hint: 'Docker accepts calls but does not answer; see its log (journalctl -u docker), restart it if need be',
  });
  const end = (reason: unknown): void => {
    cut.reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => end(late), call.ms);
  const onAbort = (): void => end(call.signal?.reason);
  call.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(controller.signal), cut.promise]);
  } catch (thrown) {
    if (thrown === late || call.signal?.aborted === true) throw controller.signal.reason ?? thrown;
    throw explain(thrown);
  } finally {
    clearTimeout(timer);
    call.signal?.removeEventListener('abort', onAbort);
  }
}
