import type { Asked } from '../../control-api/ask.ts';
import { AgentError } from '../../domain/errors.ts';
import { openDecisions } from '../../journal/open-journal.ts';
import { sleep } from '../../lib/sleep.ts';
import { actAsOwner } from '../../state-dir/act-as-owner.ts';
import { ownerFor } from '../../state-dir/ownership.ts';
import { openStateDir } from '../../state-dir/state-dir.ts';
import { doesNotAnswer, noSocket } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';

/** An agent that starts or ends has its state directory but does not answer yet, or no longer. */
const TRIES = 20;
const AGAIN_MS = 250;

/** By which way the owner changes something where no agent runs, for the record of changes. */
export const WITHOUT_AGENT = 'a command without a running agent';

/**
 * Asks the running agent; where none runs, carries the command out in the journal, for the next start. Throws
 * AGENT_OUT_OF_REACH, and what the agent or the journal throws; then nothing is changed.
 */
export async function askOrCarryOut<Answer, Offline>(
  stateDir: string,
  ask: () => Promise<Asked<Answer>>,
  carryOut: () => Offline | Promise<Offline>,
): Promise<{ readonly answer: Answer } | { readonly offline: Offline }> {
  for (let attempt = 1; ; attempt += 1) {
    const asked = await ask();
    if (asked.kind === 'answer') return { answer: asked.answer };
    if (asked.kind === 'silent') throw doesNotAnswer('; the command may have been carried out all the same');
    try {
      return { offline: await carryOut() };
    } catch (thrown) {
      if (!isInUse(thrown)) throw thrown;
      if (attempt >= TRIES) throw noSocket(stateDir, thrown);
    }
    await sleep(AGAIN_MS);
  }
}

/** As `askOrCarryOut`, with the journal open for the change. */
export async function changeByAgentOrJournal<T extends object>(
  { clock, uid }: Pick<CliContext, 'clock' | 'uid'>,
  stateDir: string,
  ask: () => Promise<Asked<T>>,
  change: (journal: ReturnType<typeof openDecisions>) => T,
): Promise<T & { readonly agentRunning: boolean }> {
  const done = await askOrCarryOut(stateDir, ask, () => {
    using opened = new DisposableStack();
    opened.use(actAsOwner(stateDir));
    const dir = opened.adopt(openStateDir(stateDir, ownerFor(stateDir, uid)), (one) => one.close());
    return change(opened.adopt(openDecisions(dir, clock), (one) => one.close()));
  });
  return 'answer' in done ? { ...done.answer, agentRunning: true } : { ...done.offline, agentRunning: false };
}

/** Whether an agent has just taken the state directory, so that it can be asked. */
function isInUse(thrown: unknown): boolean {
  return thrown instanceof AgentError && thrown.code === 'STATE_DIR_IN_USE';
}
