/** A job that fails sooner than this after its start has hardly begun its work. In milliseconds. */
export const QUICK_FAILURE_MS = 10_000;
/** So many quick failures in a row, each of another run, and the GPU is suspected rather than the jobs. */
export const BREAKS_AT = 3;

/** The runs whose jobs failed quickly on one GPU, in a row; each once, latest last. */
export type Streak = readonly string[];

/** How a job that ran on a GPU ended: of which run it was, and whether it failed quickly. */
export type JobEnd = { readonly run: string; readonly failedQuickly: boolean };

/** The streak after one more job: any other end than a quick failure breaks it off; a run counts once. */
export function streakAfter(streak: Streak, end: JobEnd): Streak {
  return end.failedQuickly ? [...streak.filter((run) => run !== end.run), end.run] : [];
}

/** Whether the GPU must get no jobs until a canary has passed on it. */
export function isBroken(streak: Streak): boolean {
  return streak.length >= BREAKS_AT;
}

const FIRST_WAIT_MS = 60_000;
const MOST_WAIT_MS = 900_000;

/** How long to wait before the next canary, after `failures` in vain: at once, a minute, twice that, ... 15 minutes. */
export function canaryWaitMs(failures: number): number {
  return failures <= 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10), MOST_WAIT_MS);
}
