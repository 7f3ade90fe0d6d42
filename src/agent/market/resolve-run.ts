import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { FunctionSpec, ImageInfo, Run } from '../../domain/run.ts';
import { splitParameters } from '../../python-literal/literal.ts';

export type LookUps = Pick<Broker, 'function' | 'image'>;

/** What a run points to, or why it can never be executed. */
export type Resolution =
  | { readonly kind: 'resolved'; readonly function: FunctionSpec; readonly image: ImageInfo }
  | { readonly kind: 'invalid'; readonly why: string };

/**
 * Looks up what a run points to, once and without state: `RunResolver` remembers and retries for the agent, `market`
 * shows one pass. Throws BROKER_NOT_FOUND where the broker does not know function or image, and what its client throws.
 */
export async function resolveRun(broker: LookUps, run: Run, signal: AbortSignal): Promise<Resolution> {
  const fn = await broker.function(run.functionUuid, signal);
  if (fn === undefined) throw unknown(`function ${run.functionUuid}`);
  const why = unreadable(run, fn);
  if (why !== undefined) return { kind: 'invalid', why };
  const image = await broker.image(fn.imageUuid, signal);
  if (image === undefined) throw unknown(`image ${fn.imageUuid}`);
  return { kind: 'resolved', function: fn, image };
}

/** Why the parameters are no literal. Python 2 has literals of its own, and reads them itself. */
function unreadable({ parameters }: Run, { runtime }: FunctionSpec): string | undefined {
  if (/^python2/i.test(runtime)) return undefined;
  try {
    splitParameters(parameters);
    return undefined;
  } catch (thrown) {
    return asAgentError(thrown).message;
  }
}

function unknown(what: string): AgentError {
  return new AgentError('BROKER_NOT_FOUND', `the broker does not know its ${what}`);
}
