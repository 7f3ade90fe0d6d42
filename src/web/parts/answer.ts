import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, asApiError } from '../api-error.ts';

/** What was asked for. */
export type Answer<Value> = {
  /** The latest answer, also while the next one is waited for and after one that failed; undefined: none yet. */
  readonly value: Value | undefined;
  /** Why the latest try failed. */
  readonly problem: ApiError | undefined;
  /** Whether the answer to what is asked for now is still waited for. */
  readonly isBusy: boolean;
  readonly ask: () => void;
};

type Known<Value> = Omit<Answer<Value>, 'ask'>;

/** Asks again whenever an input changes, and every `everyMs` milliseconds while the page is seen; 0: only then. */
export function useAnswer<Value>(
  load: () => Promise<Value>,
  inputs: readonly unknown[],
  everyMs = 0,
): Answer<Value> {
  const [known, setKnown] = useState<Known<Value>>({ value: undefined, problem: undefined, isBusy: true });
  const latest = useRef(0);
  const ask = useCallback(() => {
    latest.current += 1;
    const mine = latest.current;
    const set = (next: (before: Known<Value>) => Known<Value>): void => {
      // An answer that was overtaken is of other inputs.
      if (latest.current === mine) setKnown(next);
    };
    load().then(
      (value) => set(() => ({ value, problem: undefined, isBusy: false })),
      (thrown: unknown) => set(({ value }) => ({ value, problem: asApiError(thrown), isBusy: false })),
    );
  }, inputs);
  useEffect(() => {
    setKnown((before) => ({ ...before, isBusy: true }));
    ask();
    const askIfSeen = (): void => {
      if (document.visibilityState === 'visible') ask();
    };
    const timer = everyMs > 0 ? setInterval(askIfSeen, everyMs) : undefined;
    document.addEventListener('visibilitychange', askIfSeen);
    return () => {
      latest.current += 1;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', askIfSeen);
    };
  }, [ask, everyMs]);
  return { ...known, ask };
}
