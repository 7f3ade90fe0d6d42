import { useEffect, useRef, useState } from 'preact/hooks';
import type { JobRow } from '../answers.ts';
import { type ApiError, asApiError } from '../api-error.ts';
import { changed, type JobList, listOf, withFreshShown, withNewest, withOlder } from '../job-list.ts';
import { useApi, useServices } from '../services.ts';

/** Jobs of a page, and of a question for what has changed. */
const PAGE = 100;
const NEWEST = 50;
/** Jobs that changed further down are asked for one by one, at most so many at once. */
const SINGLE = 10;
const SETTLE_MS = 1_000;

/** What of the jobs is shown. */
export type JobFilter = {
  readonly state?: string;
  readonly outcome?: string;
  readonly gpu?: string;
  readonly text?: string;
};

/** The jobs that a filter lets through, as far as they are loaded, kept as they are now. */
export type Jobs = {
  /** Undefined: the first page is waited for. */
  readonly list: JobList | undefined;
  readonly problem: ApiError | undefined;
  readonly isLoading: boolean;
  readonly more: () => void;
  /** Shows the jobs that came meanwhile. */
  readonly showFresh: () => void;
  readonly again: () => void;
};

/** Loads jobs page by page, and what of them changes. `isHeld`: new ones wait, since they would move what is read. */
export function useJobs(filter: JobFilter, isHeld: boolean): Jobs {
  const api = useApi();
  const [list, setList] = useState<JobList | undefined>(undefined);
  const [problem, setProblem] = useState<ApiError | undefined>(undefined);
  const [loading, setLoading] = useState(0);
  const [round, setRound] = useState(0);
  const key = JSON.stringify(filter);
  const current = useRef({ key, round });
  current.current = { key, round };

  /** Answers of another filter come too late. */
  const ask = async <Value>(load: () => Promise<Value>, take: (value: Value) => void): Promise<void> => {
    const asked = current.current;
    const isLate = (): boolean => current.current.key !== asked.key || current.current.round !== asked.round;
    setLoading((count) => count + 1);
    try {
      const value = await load();
      if (isLate()) return;
      setProblem(undefined);
      take(value);
    } catch (thrown) {
      if (!isLate()) setProblem(asApiError(thrown));
    } finally {
      setLoading((count) => count - 1);
    }
  };

  useEffect(() => {
    void ask(
      () => api.jobs({ ...filter, limit: PAGE }),
      ({ jobs, next }) => setList(listOf(jobs, next)),
    );
  }, [key, round]);

  useChangedJobs(async (ids) => {
    const newest = await api.jobs({ ...filter, limit: NEWEST });
    const others = [...ids].filter((id) => !newest.jobs.some(({ job }) => job === id)).slice(0, SINGLE);
    const listed = new Set(list?.rows.map(({ job }) => job));
    const single = await Promise.all(
      others.filter((id) => listed.has(id)).map((id) => api.job(id).catch(() => undefined)),
    );
    const rows: readonly JobRow[] = single.filter((one) => one !== undefined);
    setList((now) => {
      if (now === undefined || current.current.key !== key) return now;
      const next = withNewest(now, newest.jobs, newest.next === null);
      return { ...next, rows: changed(next.rows, rows) };
    });
  });
  useEffect(() => {
    if (!isHeld && list !== undefined && list.fresh.length > 0 && !list.hasHole)
      setList(withFreshShown(list));
  }, [isHeld, list]);

  return {
    list,
    problem,
    isLoading: loading > 0,
    more: () => {
      const before = list?.next;
      if (before == null || loading > 0) return;
      void ask(
        () => api.jobs({ ...filter, limit: PAGE, before }),
        ({ jobs, next }) => setList((now) => now && withOlder(now, jobs, next)),
      );
    },
    showFresh: () => (list?.hasHole ? setRound(round + 1) : setList((now) => now && withFreshShown(now))),
    again: () => setRound(round + 1),
  };
}

/** Calls with the ids of the jobs that events have named, some time after the first of them. */
export function useChangedJobs(act: (ids: ReadonlySet<string>) => Promise<void>): void {
  const { live } = useServices();
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    let seen = live.state.events.at(-1)?.seq ?? -1;
    let ids = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      const named = ids;
      ids = new Set();
      timer = undefined;
      // What could not be read now is read at the next change.
      latest.current(named).catch(() => undefined);
    };
    const unsubscribe = live.subscribe(() => {
      for (const { fields, seq } of live.state.events.slice(-100)) {
        if (seq <= seen) continue;
        seen = seq;
        if (typeof fields['job'] === 'string') ids.add(fields['job']);
      }
      if (ids.size > 0) timer ??= setTimeout(settle, SETTLE_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [live]);
}
