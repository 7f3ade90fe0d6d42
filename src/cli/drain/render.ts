import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';
import type { AgentInspection, OpenJob } from './inspect-agent.ts';

/** The agent's progress in one line. Pure. */
export function progressLine({ agent, pending, running }: AgentInspection): string {
  const state = agent.kind === 'here' ? `${agent.phase} (process ${agent.pid})` : 'running';
  return `${state}: ${count(running, 'job')} running, ${count(pending, 'report or release', 'reports or releases')} pending\n`;
}

/** What is left after the agent has exited, one line for each job. Pure. */
export function endText(jobs: readonly OpenJob[], page: Page): string {
  if (jobs.length === 0) return 'the agent has exited; no job is unfinished\n';
  return `the agent has exited with unfinished jobs, which its next start continues:\n\n${table(COLUMNS, jobs, page)}`;
}

const COLUMNS: readonly Column<OpenJob>[] = [
  { title: 'JOB', cell: ({ job }) => shortIds(job) },
  { title: 'FUNCTION', cell: (job) => job.function, wrap: true },
  { title: 'STATE', cell: ({ state }) => state },
];

/** What `drain --json` prints at its end. Pure. */
export function drainJson({ agent }: AgentInspection, jobs: readonly OpenJob[], ended: boolean): string {
  const shown = agent.kind === 'here' ? { pid: agent.pid, phase: agent.phase } : null;
  return `${JSON.stringify({ ended, agent: shown, jobs }, null, 2)}\n`;
}
