import type { NewRun } from '../../../src/domain/ports/market-history.ts';
import { finish } from '../../../src/lib/slices.ts';
import { SqliteMarketHistory } from '../../../src/market-history/sqlite-market-history.ts';
import type { SeenRun } from '../../../src/pricing/backtest/observed.ts';

const MINUTE_MS = 60_000;
/** A longer time between two polls would be a gap. */
const MAX_STEP_MS = 3 * MINUTE_MS;

/** What was seen of a market in milliseconds since an instant, which is one of the wall clock, and what others asked then. */
export type Watched = {
  readonly start: number;
  readonly endsAt: number;
  readonly asks: readonly number[];
  readonly seen: readonly SeenRun[];
};

/** Writes it into a market history of a directory, as the agent does minute by minute. */
export function writeHistory(directory: string, { asks, endsAt, seen, start }: Watched): void {
  const history = new SqliteMarketHistory({
    directory,
    broker: 'https://broker.example/',
    maxBytes: 500_000_000,
    onReplaced: (why) => {
      throw new Error(why);
    },
  });
  const began = Map.groupBy(
    seen.map((run, index): NewRun => ({ ...run, id: index + 1, baseGpu: null })),
    ({ firstSeen }) => firstSeen,
  );
  const ended = Map.groupBy(seen.keys(), (index) => goneAt(seen[index]?.lastSeen ?? 0));
  let last = Number.NEGATIVE_INFINITY;
  for (let at = 0; at <= endsAt; at += MINUTE_MS) {
    const isChange = [began.has(at), ended.has(at), ended.has(at + MINUTE_MS)].some(Boolean);
    const isDue = isChange || at === endsAt || at - last >= MAX_STEP_MS;
    if (!isDue) continue;
    const poll = { at: start + at, isSeen: true, isFiltered: false, offers: new Map() };
    const changes = {
      began: (began.get(at) ?? []).map((run) => ({ ...run, firstSeen: start + at })),
      grew: [],
      gpuNames: new Map(),
      ended: (ended.get(at) ?? []).map((index) => index + 1),
    };
    finish(history.write(poll, changes));
    last = at;
  }
  finish(history.writeAsks(asks.map((ask) => ({ at: start, gpu: 'Nvidia Test', ask, offers: 1 }))));
  const functions = [...new Set(seen.map((run) => run.function))];
  const known = { image: 'image', runtime: 'python36', requiresGpu: true };
  history.learn(
    functions.map((one) => ({ ...known, function: one })),
    start,
  );
  history.close();
}

/** The first poll that does not show a run any more. */
function goneAt(lastSeen: number): number {
  return (Math.floor(lastSeen / MINUTE_MS) + 1) * MINUTE_MS;
}
