import PQueue from 'p-queue';
import { resolveRun } from '../../agent/market/resolve-run.ts';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { OpenRun, Run } from '../../domain/run.ts';

const CONCURRENCY = 6;

/** What the broker says about the runs that were resolved. */
export type ResolvedRuns = {
  /** The resolved runs by uuid. */
  readonly open: ReadonlyMap<string, OpenRun>;
  /** The runs that can never be executed. */
  readonly invalid: ReadonlySet<string>;
  /** The first error; undefined if every run was resolved. */
  readonly failure: AgentError | undefined;
};

/** Resolves runs as the agent does, each function and image once. Never throws. */
export async function resolveRuns(
  broker: Pick<Broker, 'function' | 'image'>,
  runs: readonly Run[],
  signal: AbortSignal,
): Promise<ResolvedRuns> {
  const open = new Map<string, OpenRun>();
  const invalid = new Set<string>();
  const lookUps = {
    // Without its code, which is of no use here and may be long.
    function: once(async (uuid) => (await broker.function(uuid, signal))?.spec),
    image: once((uuid) => broker.image(uuid, signal)),
  };
  const failure = await forEach(runs, async (run) => {
    const found = await resolveRun(lookUps, run, signal);
    if (found.kind === 'invalid') invalid.add(run.uuid);
    else open.set(run.uuid, { run, function: found.function, image: found.image });
  });
  return { open, invalid, failure };
}

/** Calls `work` for each item, a few at a time; returns the first error. Never throws. */
export async function forEach<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<AgentError | undefined> {
  let failure: AgentError | undefined;
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const one = async (item: T): Promise<void> => {
    try {
      await work(item);
    } catch (thrown) {
      failure ??= asAgentError(thrown);
    }
  };
  await queue.addAll([...items].map((item) => () => one(item)));
  return failure;
}

function once<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const asked = new Map<string, Promise<T>>();
  return (key) => {
    const answer = asked.get(key) ?? ask(key);
    asked.set(key, answer);
    return answer;
  };
}
