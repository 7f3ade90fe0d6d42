import type { z } from 'zod';
import { follow, type Question } from '../control-api/ask.ts';
import type { Endpoint } from '../control-api/endpoints.ts';
import { AgentError } from '../domain/errors.ts';
import { agentDirectories, notSeen } from './ask-agent.ts';
import type { CliContext } from './command.ts';

const ELSEWHERE: ReadonlySet<string> = new Set([
  'AGENT_NOT_RUNNING',
  'AGENT_OUT_OF_REACH',
  'STATE_DIR_UNUSABLE',
]);

/** Follows a stream of the running agent at the socket that this user may use. Throws AGENT_NOT_RUNNING, and as `follow` does. */
export async function* followAgent<Request extends z.ZodType, Answer extends z.ZodType>(
  { caller }: Pick<CliContext, 'caller'>,
  stateDir: string,
  endpoint: Endpoint<Request, Answer>,
  question: Omit<Question<Request>, 'caller'>,
  signal: AbortSignal,
): AsyncGenerator<z.infer<Answer>, void> {
  let refusal: AgentError | undefined;
  for (const directory of agentDirectories(stateDir)) {
    try {
      return yield* follow(directory, endpoint, { ...question, caller }, signal);
    } catch (thrown) {
      if (!(thrown instanceof AgentError) || !ELSEWHERE.has(thrown.code)) throw thrown;
      const isOutOfReach = refusal !== undefined && refusal.code !== 'AGENT_NOT_RUNNING';
      refusal =
        isOutOfReach && thrown.code === 'AGENT_NOT_RUNNING' ? notSeen(stateDir, thrown) : (refusal ?? thrown);
    }
  }
  throw refusal;
}

/** Whether a stream may go on later: the agent is being started again. */
export function isGone(thrown: unknown): boolean {
  return thrown instanceof AgentError && thrown.code === 'AGENT_NOT_RUNNING';
}
