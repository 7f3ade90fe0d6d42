import type { z } from 'zod';
import { OPTIONS } from '../config/options.ts';
import { type Asked, ask, type Question } from '../control-api/ask.ts';
import type { Endpoint } from '../control-api/endpoints.ts';
import { SERVICE_RUNTIME_DIR } from '../control-api/sockets.ts';
import { AgentError } from '../domain/errors.ts';
import { findAgent } from '../state-dir/running-agent.ts';

const ANSWER_MS = 20_000;

/** Where the agent of a state directory may be asked, best first. */
export function agentDirectories(stateDir: string): readonly string[] {
  return stateDir === OPTIONS.stateDir.default ? [stateDir, SERVICE_RUNTIME_DIR] : [stateDir];
}

/**
 * Asks the agent of a state directory; `none`: none runs. Throws what it answers, and as `ask` does; AGENT_NOT_RUNNING where
 * this user may not look into the state directory, and the service has no socket.
 */
export async function askAgent<Request extends z.ZodType, Answer extends z.ZodType>(
  { caller }: { readonly caller: string },
  stateDir: string,
  endpoint: Endpoint<Request, Answer>,
  question: Omit<Question<Request>, 'caller'>,
  ms = ANSWER_MS,
): Promise<Asked<z.infer<Answer>>> {
  const directories = agentDirectories(stateDir);
  let refusal: AgentError | undefined;
  let absent = false;
  for (const directory of directories) {
    try {
      const asked = await ask(directory, endpoint, { ...question, caller }, ms);
      if (asked.kind !== 'none') return asked;
      absent = true;
    } catch (thrown) {
      // A member of the group cannot look into the state directory.
      if (!(thrown instanceof AgentError) || !OUT_OF_REACH.has(thrown.code)) throw thrown;
      refusal ??= thrown;
    }
  }
  if (refusal === undefined) return { kind: 'none' };
  if (absent) throw notSeen(stateDir, refusal);
  throw refusal;
}

/** What is said where no agent runs: a hint of its own, and a part that follows the message. */
type NotRunning = { readonly hint?: string; readonly more?: string };

/**
 * As `askAgent`, for what only a running agent knows or can do. Throws AGENT_NOT_RUNNING where none runs, and
 * AGENT_OUT_OF_REACH where one does not answer.
 */
export async function askRunningAgent<Request extends z.ZodType, Answer extends z.ZodType>(
  context: { readonly caller: string },
  stateDir: string,
  endpoint: Endpoint<Request, Answer>,
  question: Omit<Question<Request>, 'caller'>,
  { more = '', ...hint }: NotRunning = {},
  ms = ANSWER_MS,
): Promise<z.infer<Answer>> {
  const asked = await askAgent(context, stateDir, endpoint, question, ms);
  if (asked.kind === 'answer') return asked.answer;
  if (asked.kind === 'silent') throw doesNotAnswer();
  if (findAgent(stateDir).kind !== 'none') throw noSocket(stateDir);
  throw new AgentError('AGENT_NOT_RUNNING', `no agent runs on ${stateDir}${more}`, hint);
}

const OUT_OF_REACH: ReadonlySet<string> = new Set(['AGENT_OUT_OF_REACH', 'STATE_DIR_UNUSABLE']);

/** The error for a service whose sockets, which systemd removes with it, are gone, where the state directory is out of reach. */
export function notSeen(stateDir: string, cause: AgentError): AgentError {
  return new AgentError(
    'AGENT_NOT_RUNNING',
    `the service does not run: ${SERVICE_RUNTIME_DIR} has no socket, and this user may not look into ${stateDir}`,
    { hint: 'start it, sudo systemctl start sharedcloud-agent; or run this with sudo', cause },
  );
}

/** The error for an agent that is connected to and says nothing. */
export function doesNotAnswer(more = ''): AgentError {
  return new AgentError('AGENT_OUT_OF_REACH', 'the running agent does not answer', {
    hint: `see \`sharedcloud-agent health\`, and its log${more}`,
  });
}

/** The error for an agent that has its state directory and opens no socket. */
export function noSocket(stateDir: string, cause?: unknown): AgentError {
  const agent = findAgent(stateDir);
  const pid = agent.kind !== 'none' && agent.pid !== undefined ? ` (process ${agent.pid})` : '';
  return new AgentError('AGENT_OUT_OF_REACH', `an agent${pid} runs on ${stateDir}, but answers no commands`, {
    hint: 'it may be of an older version: restart it, and its jobs keep running; in a container, run this inside of it',
    cause,
  });
}
