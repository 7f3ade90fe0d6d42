/** How often a log that is being written is marked, in milliseconds: a crash is known to the minute. */
export const MARK_MS = 60_000;

const KINDS = ['begins', 'runs', 'ends', 'lost'] as const;
const LINE = new RegExp(`^(\\S+) log (${KINDS.join('|')})$`);

/** What is said of the log in the log: it is being written from now on, still, not any more, or some connections were lost. */
export type MarkKind = (typeof KINDS)[number];
export type Mark = { readonly at: number; readonly kind: MarkKind };

/** A time for which connections may be missing, in milliseconds of the wall clock. */
export type Gap = { readonly fromMs: number; readonly toMs: number };

/** A mark as one line among those of connections. */
export function markLine({ at, kind }: Mark): string {
  return `${new Date(at).toISOString()} log ${kind}\n`;
}

/** The mark of a line; undefined: it is none. */
export function markOf(line: string): Mark | undefined {
  const [, time = '', written] = LINE.exec(line) ?? [];
  const kind = KINDS.find((one) => one === written);
  const at = Date.parse(time);
  return kind === undefined || !Number.isFinite(at) ? undefined : { at, kind };
}

/** When the log was not written within these times. `marks` are those from MARK_MS before on, in their order. Pure. */
export function gapsOf(marks: readonly Mark[], { fromMs, toMs }: Gap): readonly Gap[] {
  const covered: Gap[] = [];
  let current: Gap | undefined;
  const close = (): void => {
    if (current !== undefined) covered.push(current);
    current = undefined;
  };
  for (const { at, kind } of marks) {
    const isStale = current !== undefined && at - current.toMs > 2 * MARK_MS;
    if (kind === 'begins' || isStale) close();
    // Marks are due each minute, so that before the first of an old log it was written, too.
    const began = kind === 'runs' && current === undefined && !isStale ? at - MARK_MS : at;
    current = { fromMs: current?.fromMs ?? began, toMs: kind === 'lost' ? at - 1_000 : at };
    if (kind === 'ends' || kind === 'lost') close();
    if (kind === 'lost') current = { fromMs: at, toMs: at };
  }
  if (current !== undefined) covered.push({ ...current, toMs: current.toMs + 2 * MARK_MS });
  const gaps: Gap[] = [];
  let at = fromMs;
  for (const one of covered) {
    if (one.fromMs > at) gaps.push({ fromMs: at, toMs: Math.min(one.fromMs, toMs) });
    at = Math.max(at, one.toMs);
    if (at >= toMs) return gaps;
  }
  return [...gaps, { fromMs: at, toMs }];
}
