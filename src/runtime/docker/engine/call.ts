import { AgentError } from '../../../domain/errors.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { engineError } from './errors.ts';

/** Deadlines of calls to the engine by kind, in milliseconds. */
export type EngineDeadlines = {
  /** Inspect, list, info. */
  readonly inspectMs: number;
  /** Stop, kill, remove. */
  readonly stopMs: number;
  /** Create, start, and measuring a container's disk use. */
  readonly createMs: number;
  /** How long the stream of past events may pause before it counts as complete. */
  readonly eventsMs: number;
};

/** A slow engine is not a dead one: one that takes 20 s for each call runs jobs. */
export const ENGINE_DEADLINES: EngineDeadlines = {
  inspectMs: 45_000,
  stopMs: 60_000,
  createMs: 90_000,
  eventsMs: 2_000,
};

/** One call: an action that completes "could not ...", its deadline in milliseconds, and a signal that ends it early. */
export type Call = {
  readonly action: string;
  readonly ms: number;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs one call to the engine under a deadline. Throws RUNTIME_UNAVAILABLE after the deadline, the signal's reason after
 * an abort, and otherwise what `toError` makes of the failure. The deadline holds even where dockerode's promise never
 * settles, such as after a connection that broke inside an answer.
 */
export async function callEngine<T>(
  call: Call,
  work: (signal: AbortSignal) => Promise<T>,
  toError: (thrown: unknown) => AgentError = (thrown) => engineError(thrown, call.action),
): Promise<T> {
  let late: AgentError | undefined;
  const error = (): AgentError =>
    (late = new AgentError('RUNTIME_UNAVAILABLE', `could not ${call.action}: no answer in ${call.ms} ms`, {
      hint: 'see Docker’s log (journalctl -u docker) and restart Docker if it hangs',
    }));
  try {
    return await withDeadline({ ms: call.ms, error, signal: call.signal }, work);
  } catch (thrown) {
    call.signal?.throwIfAborted();
    throw thrown === late ? late : toError(thrown);
  }
}
