import type { JobRow } from './answers.ts';

/** What is loaded of the jobs, newest first. */
export type JobList = {
  readonly rows: readonly JobRow[];
  /** Newer than those, not shown yet. */
  readonly fresh: readonly JobRow[];
  /** Where the list goes on; null: at its end. */
  readonly next: number | null;
  /** Jobs between the fresh ones and the shown ones may be missing. */
  readonly hasHole: boolean;
};

/** The list as it was loaded. */
export function listOf(rows: readonly JobRow[], next: number | null): JobList {
  return { rows, fresh: [], next, hasHole: false };
}

/** Appends older jobs. Pure. */
export function withOlder(list: JobList, older: readonly JobRow[], next: number | null): JobList {
  const known = new Set([...list.fresh, ...list.rows].map(({ job }) => job));
  return { ...list, rows: [...list.rows, ...older.filter(({ job }) => !known.has(job))], next };
}

/**
 * Takes the newest jobs as they are now: those that are shown change in their places, others wait as fresh ones. `isWhole`: there
 * are no others. Pure.
 */
export function withNewest(list: JobList, newest: readonly JobRow[], isWhole: boolean): JobList {
  const shown = new Set(list.rows.map(({ job }) => job));
  const later = newest.filter(({ job }) => !shown.has(job));
  const meets = isWhole || list.rows.length === 0 || later.length < newest.length;
  const waiting = changed(list.fresh, newest);
  const known = new Set(waiting.map(({ job }) => job));
  return {
    rows: changed(list.rows, newest),
    fresh: [...later.filter(({ job }) => !known.has(job)), ...waiting],
    next: list.next,
    hasHole: list.hasHole || !meets,
  };
}

/** Jobs that are listed as they are now, in their places; the same array where nothing has changed. Pure. */
export function changed(rows: readonly JobRow[], latest: readonly JobRow[]): readonly JobRow[] {
  const byId = new Map(latest.map((row) => [row.job, row]));
  const next = rows.map((row) => {
    const now = byId.get(row.job);
    return now === undefined || isSame(row, now) ? row : now;
  });
  return next.some((row, index) => row !== rows[index]) ? next : rows;
}

/** Shows the fresh jobs, too. Pure. */
export function withFreshShown(list: JobList): JobList {
  return { ...list, rows: [...list.fresh, ...list.rows], fresh: [] };
}

function isSame(one: JobRow, other: JobRow): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
