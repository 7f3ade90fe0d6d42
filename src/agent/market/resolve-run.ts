import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { FunctionSpec, ImageInfo, Run } from '../../domain/run.ts';

export type LookUps = Pick<Broker, 'image'> & {
  /** undefined: 404. */
  function(uuid: string, signal: AbortSignal): Promise<FunctionSpec | undefined>;
};

/** What a run points to, or why it can never be executed. */
export type Resolution =
  | { readonly kind: 'resolved'; readonly function: FunctionSpec; readonly image: ImageInfo }
  | { readonly kind: 'invalid'; readonly why: string };

/**
 * Looks up what a run points to, once and without state: `RunResolver` remembers and retries for the agent, `market`
 * shows one pass. Throws BROKER_NOT_FOUND where the broker does not know function or image, and what its client throws.
 */
export async function resolveRun(broker: LookUps, run: Run, signal: AbortSignal): Promise<Resolution> {
  try {
    const fn = await broker.function(run.functionUuid, signal);
    if (fn === undefined) throw unknown(`function ${run.functionUuid}`);
    const image = await broker.image(fn.imageUuid, signal);
    if (image === undefined) throw unknown(`image ${fn.imageUuid}`);
    return { kind: 'resolved', function: fn, image };
  } catch (thrown) {
    const { code, message } = asAgentError(thrown);
    if (code === 'FUNCTION_INVALID') return { kind: 'invalid', why: message };
    throw thrown;
  }
}

function unknown(what: string): AgentError {
  return new AgentError('BROKER_NOT_FOUND', `the broker does not know its ${what}`);
}
