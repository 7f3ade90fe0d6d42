import type { z } from 'zod';
import { zoneName } from '../../control/earnings-route.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { VIEWS } from '../../control-api/views.ts';
import { CPU_TARGET } from '../../domain/hold.ts';
import type { EarningsQuery } from '../../journal/earnings.ts';
import type { Ledger } from '../../journal/ledger.ts';
import { readJournal } from '../../journal/open-journal.ts';
import { inSlices } from '../../lib/slices.ts';
import { askAgent } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { answerOf, refusalOf } from '../journal-or-agent.ts';
import { checkReadable, noJournal } from '../readable-state-dir.ts';

/** What `earnings` shows. */
export type Shown = Pick<
  z.output<typeof VIEWS.earnings>,
  'by' | 'from' | 'idle' | 'rows' | 'timeZone' | 'total' | 'until'
>;

/** The hint where there is no journal. */
export const NO_JOBS_YET = 'start the agent once, or name its state directory with --state-dir';

/** What the jobs of a state directory have earned and cost. Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE, AGENT_*. */
export async function readEarnings(
  context: Pick<CliContext, 'caller'>,
  stateDir: string,
  query: EarningsQuery,
): Promise<Shown> {
  const refusal = await refusalOf(stateDir);
  if (refusal === undefined) return ofJournal(stateDir, query);
  const rest = `?${new URLSearchParams(query).toString()}`;
  return answerOf(askAgent(context, stateDir, ENDPOINTS.earnings, { rest }), refusal);
}

async function ofJournal(stateDir: string, query: EarningsQuery): Promise<Shown> {
  await checkReadable(stateDir, NO_JOBS_YET);
  const journal = readJournal(stateDir);
  if (journal === undefined) throw noJournal(stateDir, NO_JOBS_YET);
  try {
    const { rows, ...report } = await inSlices(journal.ledger.report(query));
    const named = rows.map(({ key, ...sums }) => ({ key, name: nameOf(key, query, journal), ...sums }));
    return { timeZone: zoneName(), ...query, ...report, rows: named };
  } finally {
    journal.close();
  }
}

/** The numbers of GPUs are known to a running agent only. */
function nameOf(
  key: string | null,
  { by }: EarningsQuery,
  { ledger }: { readonly ledger: Pick<Ledger, 'nameOf'> },
): string {
  if (key === null) return 'others';
  if (by !== 'gpu') return key;
  return key === CPU_TARGET ? 'CPU slots' : ledger.nameOf(key);
}
