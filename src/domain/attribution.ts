import type { Ending } from './outcome.ts';
import type { Exit } from './ports/runtime.ts';

/** What is known about the end of a job that ran. Times in milliseconds. */
export type ExitFacts = {
  /** Undefined: the container could not be killed. */
  readonly exit: Exit | undefined;
  /** Whether the handler returned. */
  readonly returned: boolean;
  /** Why the agent stopped the job; undefined: the agent did not stop it. */
  readonly reason:
    | { readonly kind: 'deadline' }
    | { readonly kind: 'limit'; readonly what: string }
    | { readonly kind: 'evicted'; readonly why: string }
    | undefined;
  readonly timeoutMs: number;
  readonly ranMs: number;
  /** How much of `ranMs` somebody had paused it. */
  readonly pausedMs: number;
  /** Whether the container exited while no agent was running. */
  readonly unwatched: boolean;
  /** Whether the host was restarted after the job started. */
  readonly rebooted: boolean;
};

/** The verdict on an exit: the job caused it and it is reported, or the host did and the job is released. */
export type Attribution =
  | { readonly kind: 'report'; readonly ending: Ending }
  | { readonly kind: 'release'; readonly why: string };

/** The largest apparent difference between the engine's clock and the host's when neither was set. */
const CLOCK_SKEW_MS = 1_000;

/** How late a pause is noticed, so that the job gets less time back than it lost. */
const PAUSE_SKEW_MS = 3_000;

const SIGKILL = 9;
const SIGTERM = 15;

/**
 * Decides whether the job or the host caused an exit. Pure. A job whose handler returned has succeeded, a job that
 * used up its time has timed out even if no agent was running, and a host failure is never reported as the job's.
 */
export function attributeExit(end: ExitFacts): Attribution {
  const { exit, reason, timeoutMs } = end;
  const report = (ending: Ending): Attribution => ({ kind: 'report', ending });
  const release = (why: string): Attribution => ({ kind: 'release', why });
  if (exit?.restarted === true) return release('its container was started again by another program');
  if (reason?.kind === 'limit') return report(reason);
  if (reason?.kind === 'evicted' && !(exit?.code === 0 && end.returned)) return release(reason.why);
  const leftMs = timeoutMs - end.ranMs;
  const timeOut = (): Attribution =>
    end.pausedMs > 0 && leftMs + end.pausedMs > PAUSE_SKEW_MS
      ? release('its container was paused by another program')
      : report({ kind: 'deadline', timeoutMs });
  if (exit === undefined) return timeOut();
  if (exit.code === 0 && end.returned) return report({ kind: 'exited', exit });
  // Checked before the deadline, because after a boot the engine dates the exit at the moment it finds it.
  if (end.rebooted) return release('the host was restarted while the job ran');
  const killed = exit.code === 128 + SIGKILL || exit.code === 128 + SIGTERM;
  // Its handler may turn a signal into an exit code of its own.
  const external = exit.exitOrigin === 'external';
  // The engine's start time is later than ours, so a job that we killed at its deadline may seem to have time left.
  const byUs = (killed || external) && reason !== undefined && !end.unwatched && exit.exitOrigin !== 'engine';
  // A job may answer our SIGTERM with an exit code of its own.
  const stopped = killed || external || reason !== undefined;
  if (byUs || (stopped && leftMs <= CLOCK_SKEW_MS) || (end.unwatched && leftMs <= 0)) return timeOut();
  if (exit.exitOrigin === 'engine') return release('the container engine stopped while the job ran');
  // The engine may have lost the last output, the result among it.
  if (end.unwatched && exit.code === 0)
    return release('the job ended while no agent was running, and its result is lost');
  // Stopped by a person, by a restarted engine, or by an agent that died meanwhile.
  if (external)
    return release(
      end.unwatched
        ? 'the container was stopped while no agent was running'
        : 'the container was stopped by another program',
    );
  if (killed && !exit.oomKilled && end.unwatched)
    return release('the container was killed while no agent was running');
  return report({ kind: 'exited', exit });
}

/** How long after the real start the engine may answer the start call on a busy host. */
const LATE_START_MS = 10_000;

/**
 * How long a job ran, in milliseconds, by the engine's times. If these are impossible because a clock was set,
 * `maxMs`: the time since the start by a clock that cannot be set; undefined: unknown.
 */
export function runtimeMs(exit: Exit | undefined, maxMs: number | undefined): number {
  const engineMs = exit === undefined ? -1 : exit.finishedAt - exit.startedAt;
  if (maxMs === undefined) return Math.max(engineMs, 0);
  return engineMs >= 0 && engineMs <= maxMs + LATE_START_MS ? engineMs : maxMs;
}
