import type { Exit } from '../../domain/ports/runtime.ts';

const SIGKILL = 9;

/**
 * Tells a job that the kernel killed because the host was short of memory from one that broke its own limit: the
 * engine says the latter (`oomKilled`), the former shows only in the kernel's count of such kills.
 */
export class HostOomDetector {
  readonly #kills: () => number | undefined;
  readonly #before = new Map<string, number>();

  /** `kills` counts what the kernel has killed for want of memory since the boot; undefined: it does not tell. */
  constructor(kills: () => number | undefined) {
    this.#kills = kills;
  }

  /** A job runs from now on, or is seen running. */
  jobStarted(job: string): void {
    const kills = this.#kills();
    if (kills !== undefined) this.#before.set(job, kills);
  }

  /** A job is over. */
  jobEnded(job: string): void {
    this.#before.delete(job);
  }

  /**
   * Why the host was at fault; undefined: it was not, as far as can be told. The kills in other containers count
   * too: a job that goes back to the market although it was its own fault costs less than one called FAILED that was not.
   */
  fault(job: string, exit: Pick<Exit, 'code' | 'oomKilled'>): string | undefined {
    if (exit.code !== 128 + SIGKILL || exit.oomKilled) return undefined;
    const before = this.#before.get(job);
    const kills = this.#kills();
    if (before === undefined || kills === undefined || kills <= before) return undefined;
    return 'it was killed while this host was short of memory';
  }
}
