import type { ProcessOwner } from '../foreign-use.ts';

/** Tells the processes of the agent's containers from all others on this host. */
export interface ProcessOwners {
  /** Whether a process has the same id here as where nvidia-smi reads it: it has not inside a container. */
  readonly areIdsShared: boolean;
  /** Whether a process has this id here now. Never throws. */
  exists(pid: number): boolean;
  /**
   * Whose the processes are, as of this call, where exactly these containers run. Ids that are asked for later are looked up
   * then. Never throws.
   */
  among(containers: readonly string[]): (pid: number) => ProcessOwner;
}
