import type { Phase } from '../../domain/signals.ts';
import { escapeControls } from '../../lib/escape.ts';
import { count } from '../count.ts';
import type { AgentInspection, OpenJob } from './inspect-agent.ts';

const DOES: Readonly<Record<Phase, string>> = {
  working: 'works',
  draining: 'drains',
  evicting: 'gives its jobs back',
  stopping: 'stops',
};

/** How far the agent has come, in a line. Pure. */
export function progressLine({ agent, owed, running }: AgentInspection): string {
  const which = agent.kind === 'here' ? `process ${agent.pid}` : 'not seen for a moment';
  const does = agent.kind === 'here' ? DOES[agent.phase] : 'runs';
  const jobs = `${count(running, 'job')} not ended, ${count(owed, 'job')} to be reported or released`;
  return `the agent (${which}) ${does}: ${jobs}\n`;
}

/** What is left once the agent has ended, one line each. Pure. */
export function endText(open: readonly OpenJob[]): string {
  if (open.length === 0) return 'the agent has ended; nothing is left to run, to report or to release\n';
  return `the agent has ended before all was done; its next start goes on with\n${jobLines(open)}`;
}

function jobLines(jobs: readonly OpenJob[]): string {
  return jobs
    .map(({ function: name, job, state }) => `  ${job}  ${escapeControls(name)}  ${state}\n`)
    .join('');
}

/** As `drain --json` prints what it has seen last. Pure. */
export function drainJson(query: AgentInspection, jobs: readonly OpenJob[], ended: boolean): string {
  const { agent } = query;
  const shown = agent.kind === 'here' ? { pid: agent.pid, phase: agent.phase } : null;
  return `${JSON.stringify({ ended, agent: shown, jobs }, null, 2)}\n`;
}
