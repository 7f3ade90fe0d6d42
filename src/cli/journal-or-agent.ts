import type { Asked } from '../control-api/ask.ts';
import { AgentError } from '../domain/errors.ts';
import { doesNotAnswer } from './ask-agent.ts';
import { checkReadable } from './readable-state-dir.ts';

/*
 * What is in the journal is read there, whether or not an agent runs; or asked of the running agent, by a user who may not
 * look into the state directory, such as a member of the agent's group.
 */

/** Why this user may not look into a state directory; undefined: they may, or it is absent. Throws STATE_DIR_UNUSABLE. */
export function refusalOf(stateDir: string): Promise<AgentError | undefined> {
  return checkReadable(stateDir).then(() => undefined, deniedOf);
}

/** The agent's answer. Throws AGENT_OUT_OF_REACH, or the refusal where no agent runs. */
export async function answerOf<T>(asked: Promise<Asked<T>>, refusal: AgentError): Promise<T> {
  const got = await asked;
  if (got.kind === 'answer') return got.answer;
  throw got.kind === 'none' ? refusal : doesNotAnswer();
}

function deniedOf(thrown: unknown): AgentError | undefined {
  if (!(thrown instanceof AgentError)) throw thrown;
  const { cause } = thrown;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return undefined;
  if (code === 'EACCES') return thrown;
  throw thrown;
}
