import type { Exit } from './ports/runtime.ts';

/** What this host knows of its memory while a job ran. */
export type MemoryFacts = {
  /** How often the kernel killed a process for lack of memory meanwhile; undefined: it does not say. */
  readonly kernelKills: number | undefined;
  /**
   * What cgroup v2 counts in `memory.events`: how often a limit of containers was reached with nothing to reclaim (`oom`),
   * and how many of their processes were killed, for that or because the host was short (`oom_kill`). undefined: cgroup
   * v1, where the engine says `oomKilled` only of the container's own limit, or not readable.
   */
  readonly cgroup: { readonly limitsReached: number; readonly kills: number } | undefined;
  /** Whether this host has cgroup v2. */
  readonly unified: boolean;
  /** Whether little memory was available in the last seconds, so that earlyoom or systemd-oomd may have killed. */
  readonly wasShort: boolean;
};

/**
 * Who is to blame for an exit that has to do with memory: the job broke its own limit, or this host was short of memory;
 * `perhaps-host`: nothing tells, but this host was short. undefined: it has nothing to do with memory, as far as is known.
 */
export type OomVerdict = 'job' | 'host' | 'perhaps-host' | undefined;

const KILLED = 137;
const TERMINATED = 143;

/**
 * Decides who is to blame. Pure. On cgroup v2 the engine says `oomKilled` also where the kernel killed the container
 * because the host was short, and may say nothing where a limit ended a child of the container's first process.
 */
export function oomVerdict(
  exit: Pick<Exit, 'code' | 'oomKilled'>,
  { cgroup, kernelKills, unified, wasShort }: MemoryFacts,
): OomVerdict {
  if (exit.oomKilled) {
    if (cgroup !== undefined) return cgroup.limitsReached > 0 ? 'job' : 'host';
    return unified && wasShort ? 'perhaps-host' : 'job';
  }
  if (exit.code !== KILLED && exit.code !== TERMINATED) return undefined;
  if (exit.code === KILLED && cgroup !== undefined && cgroup.limitsReached > 0 && cgroup.kills > 0)
    return 'job';
  // Kills in other containers count, too: a needless release costs less than a FAILED that was not the job's fault.
  if (exit.code === KILLED && kernelKills !== undefined && kernelKills > 0) return 'host';
  return wasShort ? 'host' : undefined;
}
