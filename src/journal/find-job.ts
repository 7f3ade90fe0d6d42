import { AgentError } from '../domain/errors.ts';

const MAX_NAMED = 5;

/** The uuid of the one job whose id begins so, or is that. Throws JOB_UNKNOWN, JOB_AMBIGUOUS. */
export function findJob(
  journal: { matching(prefix: string, limit: number): readonly string[] },
  id: string,
): string {
  const found = journal.matching(id, MAX_NAMED + 1);
  const [uuid] = found;
  const shown = JSON.stringify(id.length > 80 ? `${id.slice(0, 80)}…` : id);
  if (uuid === undefined) throw new AgentError('JOB_UNKNOWN', `the journal has no job ${shown}`);
  const exact = found.find((one) => one.toLowerCase() === id.toLowerCase());
  if (found.length === 1 || exact !== undefined) return exact ?? uuid;
  const named = found.slice(0, MAX_NAMED).join(', ');
  const more = found.length > MAX_NAMED ? ' and more' : '';
  throw new AgentError('JOB_AMBIGUOUS', `${shown} is the beginning of several jobs: ${named}${more}`);
}
