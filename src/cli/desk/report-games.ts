import { asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';

/** How often GameMode is asked. */
const POLL_MS = 2_000;
/** A report holds for three times as long. */
const REPORT_MS = 10_000;

export type GameReports = {
  /** How many games run. Throws GAMES_UNREADABLE. */
  readonly read: (signal: AbortSignal) => Promise<number>;
  /** Passes that on to the running agent. Throws AGENT_* and CONTROL_*. */
  readonly report: (games: number) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Reports the games to the agent until the signal aborts: each change at once. What cannot be read is not reported, and
 * the last report runs out.
 */
export async function reportGames(
  { clock, log, read, report }: GameReports,
  signal: AbortSignal,
): Promise<void> {
  const problem = new OncePerChange();
  let last: { readonly games: number; readonly at: number } | undefined;
  while (!signal.aborted) {
    try {
      const games = await read(signal);
      const now = clock.monotonic();
      if (last?.games !== games || now - last.at >= REPORT_MS) {
        await report(games);
        if (last?.games !== games)
          log.info({ event: 'games-reported', games }, 'games reported to the agent');
        last = { games, at: now };
      }
      problem.forget('');
    } catch (thrown) {
      if (signal.aborted) return;
      last = undefined;
      const { code, hint, message } = asAgentError(thrown);
      if (problem.isNew(message)) log.warn({ event: 'games-not-reported', code, hint }, message);
    }
    await sleep(POLL_MS, signal);
  }
}
