/** A failure sooner than this after the start counts as quick. In milliseconds. */
export const QUICK_FAILURE_MS = 10_000;
/** How many quick failures in a row, each of another run, trip the breaker. */
export const BREAKER_THRESHOLD = 3;

/** The runs whose jobs failed quickly in a row on one GPU; each run once, latest last. */
export type Streak = readonly string[];

/** How a job on a GPU ended. */
export type JobEnd = { readonly run: string; readonly failedQuickly: boolean };

/** The streak after one more job. Anything but a quick failure resets it; a run counts once. */
export function streakAfter(streak: Streak, end: JobEnd): Streak {
  return end.failedQuickly ? [...streak.filter((run) => run !== end.run), end.run] : [];
}

/** Whether the GPU must get no jobs until a canary passes on it. */
export function isTripped(streak: Streak): boolean {
  return streak.length >= BREAKER_THRESHOLD;
}
