import type { Ending } from './outcome.ts';
import type { Exit } from './ports/runtime.ts';

/** What is known of the end of a job that ran. Times in milliseconds. */
export type ExitFacts = {
  /** undefined: its container could not be ended at all. */
  readonly exit: Exit | undefined;
  /** Whether its handler returned. */
  readonly returned: boolean;
  /** What we ended it for; undefined: we did not. */
  readonly decided:
    | { readonly kind: 'deadline' }
    | { readonly kind: 'limit'; readonly what: string }
    | { readonly kind: 'evicted'; readonly why: string }
    | undefined;
  readonly timeoutMs: number;
  readonly ranMs: number;
  /** Whether it had ended before this agent came to look. */
  readonly unwatched: boolean;
  /** Whether the host was restarted since its start. */
  readonly rebooted: boolean;
};

/** What comes of an end: it is the job's own and reported, or this host's doing, and the job goes back to the market. */
export type Attribution =
  | { readonly kind: 'report'; readonly ending: Ending }
  | { readonly kind: 'release'; readonly why: string };

/** How far the clocks of engine and host may seem apart although neither was set. */
const SLACK_MS = 1_000;

const SIGKILL = 9;
const SIGTERM = 15;

/**
 * Whose end it was. Pure. A job that returned has succeeded, whatever happened around it; one that ran out of its
 * time has done so even where nobody was there to see it; what this host did to it is never called its failure.
 */
export function attributeExit(end: ExitFacts): Attribution {
  const { decided, exit, timeoutMs } = end;
  const report = (ending: Ending): Attribution => ({ kind: 'report', ending });
  const release = (why: string): Attribution => ({ kind: 'release', why });
  if (decided?.kind === 'limit') return report(decided);
  if (decided?.kind === 'evicted' && !(exit?.code === 0 && end.returned)) return release(decided.why);
  if (exit === undefined) return report({ kind: 'deadline', timeoutMs });
  if (exit.code === 0 && end.returned) return report({ kind: 'exited', exit });
  // Before the deadline: an engine that finds its containers dead after a boot takes that moment for their end.
  if (end.rebooted) return release('this host was restarted while it ran');
  const killed = exit.code === 128 + SIGKILL || exit.code === 128 + SIGTERM;
  // The engine's times of it begin a moment after ours, so that what we ended may seem to have had time left.
  const byUs = killed && decided !== undefined && !end.unwatched && exit.exitOrigin !== 'engine';
  const leftMs = timeoutMs - end.ranMs;
  // What we ended at its deadline may have taken that for a reason to fail, with a code of its own.
  const isAbout = killed || decided !== undefined;
  if (byUs || (isAbout && leftMs <= SLACK_MS) || (end.unwatched && leftMs <= 0)) {
    return report({ kind: 'deadline', timeoutMs });
  }
  if (exit.exitOrigin === 'engine')
    return release('the container engine went away, and its end or its result with it');
  // The engine may have lost what it printed last, and nobody can tell any more.
  if (end.unwatched && exit.code === 0)
    return release('it ended while no agent was there, and its result is lost');
  // By an agent that ended with it, by a person, or by an engine that came back and found it: nobody can tell either.
  if (end.unwatched && !killed && exit.exitOrigin === 'external')
    return release('it was told to end while no agent was there');
  if (killed && !exit.oomKilled) {
    if (exit.exitOrigin === 'external') return release('its container was killed from outside');
    if (end.unwatched) return release('its container was killed while no agent was there');
  }
  return report({ kind: 'exited', exit });
}

/** So late may a start be known here: what was waited for is the engine's word, on a busy host at times for seconds. */
const LATE_START_MS = 10_000;

/**
 * How long a job ran, by the engine's times; where these cannot be, because a clock was set meanwhile, the longest
 * that it can have been. `atMostMs` is about that, by a clock that nobody sets; undefined: not known.
 */
export function runtimeMs(exit: Exit | undefined, atMostMs: number | undefined): number {
  const engineMs = exit === undefined ? -1 : exit.finishedAt - exit.startedAt;
  if (atMostMs === undefined) return Math.max(engineMs, 0);
  return engineMs >= 0 && engineMs <= atMostMs + LATE_START_MS ? engineMs : atMostMs;
}
