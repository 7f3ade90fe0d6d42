import PQueue from 'p-queue';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { OpenRun, Run } from '../../domain/run.ts';
import { splitParameters } from '../../python-literal/literal.ts';

/** So many calls to the broker at once. */
const AT_ONCE = 6;

/** What the broker tells of the runs that were looked up. */
export type ResolvedRuns = {
  /** By the run's uuid; those that make no sense are not in here. */
  readonly open: ReadonlyMap<string, OpenRun>;
  /** Runs whose parameters, function or image make no sense. */
  readonly senseless: ReadonlySet<string>;
  /** Why some could not be looked up, as the first of them tells; undefined where all could. */
  readonly failure: AgentError | undefined;
};

/** Looks up the functions and images that runs point to: each once, a few at a time. Never throws. */
export async function resolveRuns(
  broker: Pick<Broker, 'function' | 'image'>,
  runs: readonly Run[],
  signal: AbortSignal,
): Promise<ResolvedRuns> {
  const senseless = new Set(runs.filter((run) => !isReadable(run)).map(({ uuid }) => uuid));
  const readable = runs.filter(({ uuid }) => !senseless.has(uuid));
  const functions = await askEach(
    readable.map(({ functionUuid }) => functionUuid),
    (uuid) => broker.function(uuid, signal),
  );
  const images = await askEach(
    [...functions.answers.values()].flatMap((fn) => fn?.imageUuid ?? []),
    (uuid) => broker.image(uuid, signal),
  );
  const open = new Map<string, OpenRun>();
  for (const run of readable) {
    const fn = functions.answers.get(run.functionUuid);
    const image = fn && images.answers.get(fn.imageUuid);
    const gone = functions.answers.has(run.functionUuid) && (!fn || images.answers.has(fn.imageUuid));
    if (fn && image) open.set(run.uuid, { run, function: fn, image });
    else if (gone) senseless.add(run.uuid);
  }
  return { open, senseless, failure: functions.failure ?? images.failure };
}

function isReadable(run: Run): boolean {
  try {
    return splitParameters(run.parameters).length > 0;
  } catch {
    return false;
  }
}

/** The answers by uuid, `undefined` where there is no such thing; what could not be asked has none. */
type Answers<T> = {
  readonly answers: ReadonlyMap<string, T | undefined>;
  readonly failure: AgentError | undefined;
};

/** Repricer for each uuid once. Never throws. */
export async function askEach<T>(
  uuids: readonly string[],
  ask: (uuid: string) => Promise<T | undefined>,
): Promise<Answers<T>> {
  const answers = new Map<string, T | undefined>();
  let failure: AgentError | undefined;
  const one = async (uuid: string): Promise<void> => {
    try {
      answers.set(uuid, await ask(uuid));
    } catch (thrown) {
      failure ??= asAgentError(thrown);
    }
  };
  const queue = new PQueue({ concurrency: AT_ONCE });
  await queue.addAll([...new Set(uuids)].map((uuid) => () => one(uuid)));
  return { answers, failure };
}
