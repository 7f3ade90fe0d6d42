import { ended } from '../../control/output-route.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { ShownOutput } from '../../control-api/protocol.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { findJob } from '../../journal/find-job.ts';
import type { JournalReader } from '../../journal/open-journal.ts';
import { escapeControls } from '../../lib/escape.ts';
import { type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { followAgent, isGone } from '../follow-agent.ts';
import { Interrupted, listenForInterruption } from '../interruption.ts';

export const FOLLOW: Switch = {
  name: 'follow',
  help: 'continue with what the job prints, until it ends',
  action: 'logs',
};

/** How a command reads the journal where no agent answers. */
type WithJournal = <T>(read: (journal: JournalReader) => T) => Promise<T>;

/** Prints what a job prints or has printed. Throws JOB_UNKNOWN, JOB_AMBIGUOUS, AGENT_*, STATE_DIR_UNUSABLE. */
export async function showOutput(
  context: CliContext,
  stateDir: string,
  withJournal: WithJournal,
): Promise<number> {
  const id = context.argument.trim();
  const rest = `${encodeURIComponent(id)}${context.has(FOLLOW) ? '?follow=1' : ''}`;
  const interruption = listenForInterruption();
  const signal = interruption.first;
  try {
    let state: ShownOutput['state'] | undefined;
    try {
      for await (const piece of followAgent(context, stateDir, ENDPOINTS.output, { rest }, signal)) {
        state = piece.state;
        print(piece, context);
      }
    } catch (thrown) {
      if (!isGone(thrown)) throw thrown;
      state = await withoutAgent(context, id, withJournal);
    }
    const reason: unknown = signal.reason;
    if (reason instanceof Interrupted) return reason.exit;
    if (state === 'running' && context.has(FOLLOW)) {
      context.stderr.write('the agent has ended, and the job may still run: repeat this once it is back\n');
      return EXIT.FAILED;
    }
    if (state !== 'unknown') return EXIT.OK;
    context.stderr.write('nothing is kept of what this job has printed: see `jobs show` for how it went\n');
    return EXIT.FAILED;
  } finally {
    interruption.ignore();
  }
}

async function withoutAgent(
  context: CliContext,
  id: string,
  withJournal: WithJournal,
): Promise<ShownOutput['state'] | undefined> {
  const found = await withJournal((journal) => {
    const job = findJob(journal, id);
    return { job, kept: journal.outputs.of(job), state: journal.get(job)?.state };
  });
  const { job, kept, state } = found;
  if (state !== undefined && 'container' in state)
    throw new AgentError('AGENT_NOT_RUNNING', `job ${job} may still run, and no agent reads its output`, {
      hint: `see it with: docker logs ${state.container.slice(0, 12)}; or start the agent`,
    });
  let shown: ShownOutput['state'] | undefined;
  for await (const piece of ended(job, kept)) {
    shown = piece.state;
    print(piece, context);
  }
  return shown;
}

/** A buyer's text on the terminal: its lines, and nothing that could control it. */
function print(piece: ShownOutput, { has, stderr, stdout }: CliContext): void {
  if (has(JSON_SWITCH)) return stdout.write(`${JSON.stringify(piece)}\n`);
  if (piece.leftOut) stderr.write('[something is left out here]\n');
  const text = piece.text
    .split(/([\n\t])/)
    .map((part, index) => (index % 2 === 1 ? part : escapeControls(part)))
    .join('');
  if (text !== '') (piece.stream === 'stdout' ? stdout : stderr).write(text);
}
