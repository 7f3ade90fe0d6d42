import { openBroker } from '../../compose-broker.ts';
import type { Loaded } from '../../config/config.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { daysBefore, startOfDay } from '../../domain/local-day.ts';
import { readJournal } from '../../journal/open-journal.ts';
import { within } from '../../lib/deadline.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { checkReadable, noJournal } from '../readable-state-dir.ts';
import { earningsCsv } from './csv.ts';
import { BY, DAYS, FROM, readQuery, UNTIL } from './range.ts';
import { reconcile } from './reconcile.ts';
import { earningsJson, earningsTable } from './render.ts';
import { reconcileJson, reconcileText } from './render-reconcile.ts';
import { NO_JOBS_YET, readEarnings } from './source.ts';

/** Of a very long list over a slow line. */
const RECONCILE_MS = 600_000;

const CSV: Switch = { name: 'csv', help: 'print CSV instead of text', action: '' };

/** Reads the ledger of the journal, so a running agent is not disturbed; where this user may not read it, the agent is asked. */
export const earnings: CliCommand = {
  name: 'earnings',
  summary: 'show what jobs have earned, the energy that they took and what is left',
  group: 'Look',
  actions: [
    { name: 'reconcile', help: 'compare the ledger with the broker’s jobs and balance; changes nothing' },
  ],
  actionOptional: true,
  options: ['brokerUrl', 'tokenFile', 'stateDir', 'keepHistory', 'configFile'],
  switches: [CSV, JSON_SWITCH],
  values: [BY, DAYS, FROM, UNTIL],
  examples: [
    { line: 'earnings', does: 'of each of the last 30 days' },
    { line: 'earnings --by function --days 7', does: 'of the last week, function by function' },
    { line: 'earnings --from 2026-01-01 --until 2026-12-31 --csv', does: 'a year for a spreadsheet' },
    { line: 'earnings reconcile --days 7', does: 'what differs between this host and the broker' },
  ],
  run: async (context) => {
    const loaded = await context.loadConfig({ ask: false });
    if (context.action === 'reconcile') return compare(context, loaded);
    if (context.has(CSV) && context.has(JSON_SWITCH))
      throw new AgentError('CONFIG_INVALID', '--csv and --json exclude each other', {
        hint: 'give one of the two',
      });
    const { stateDir } = loaded.config;
    const shown = await readEarnings(context, stateDir, readQuery(context));
    const { stdout } = context;
    if (context.has(JSON_SWITCH)) stdout.write(earningsJson(shown));
    else stdout.write(context.has(CSV) ? earningsCsv(shown) : earningsTable(shown, stdout));
    return EXIT.OK;
  },
};

/** Throws TOKEN_*, BROKER_*, STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE. */
async function compare(context: CliContext, loaded: Loaded): Promise<number> {
  const { brokerUrl, keepHistory, stateDir } = loaded.config;
  const now = context.clock.now();
  const firstDay = startOfDay(daysBefore(now, context.valueOf(DAYS) - 1));
  const question = { broker: new URL(brokerUrl).href, fromMs: Math.max(firstDay, now - keepHistory) };
  await checkReadable(stateDir, NO_JOBS_YET);
  const journal = readJournal(stateDir);
  if (journal === undefined) throw noJournal(stateDir, NO_JOBS_YET);
  try {
    const opened = openBroker({ ...context, loaded });
    try {
      const found = await reconcile(journal.bookedJobs, opened.books, question, within(RECONCILE_MS));
      const { stdout } = context;
      const shown = { ...question, found };
      stdout.write(context.has(JSON_SWITCH) ? reconcileJson(shown) : reconcileText(shown, stdout));
      return found.agrees ? EXIT.OK : EXIT.FAILED;
    } finally {
      await opened.close();
    }
  } finally {
    journal.close();
  }
}
