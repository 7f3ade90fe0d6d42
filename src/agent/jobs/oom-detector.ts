import type { Exit } from '../../domain/ports/runtime.ts';

const SIGKILL = 9;

/**
 * Why the host is to blame for an exit, where the kernel killed the job because the host, not the job, was short of
 * memory; undefined: it is not, as far as is known. Pure. The counts are of the kernel's out-of-memory kills since
 * boot, when the job started and now; undefined where the kernel does not say. Kills in other containers count too:
 * a release that was not needed costs less than a FAILED that was not the job's fault.
 */
export function hostOomFault(
  exit: Pick<Exit, 'code' | 'oomKilled'>,
  killsAtStart: number | undefined,
  killsNow: number | undefined,
): string | undefined {
  // The engine says `oomKilled` where the job broke its own limit.
  if (exit.code !== 128 + SIGKILL || exit.oomKilled) return undefined;
  if (killsAtStart === undefined || killsNow === undefined || killsNow <= killsAtStart) return undefined;
  return 'it was killed while this host was short of memory';
}
