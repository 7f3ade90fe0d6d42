import { count } from '../config/number-types.ts';
import type { JobRecord } from '../domain/job.ts';
import { readJournal } from '../journal/open-journal.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type ValueFlag } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { jobsTable, summaryOf } from './jobs-view.ts';
import { checkReadable, nothingHere } from './readable-state-dir.ts';

const LIMIT: ValueFlag<number> = {
  name: 'limit',
  help: 'how many jobs to show, newest first',
  type: count(1, 1_000_000),
  default: '50',
};

/** What ran here, from the journal, which is only read: a running agent is not disturbed. */
export const jobs: CliCommand = {
  name: 'jobs',
  summary: 'what ran here: state, duration and what was earned',
  options: ['stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [LIMIT],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    const records = await readHistory(config.stateDir, context.valueOf(LIMIT));
    show(context, records);
    return EXIT.OK;
  },
};

function show(context: CliContext, records: readonly JobRecord[]): void {
  const now = context.clock.now();
  const text = context.has(JSON_SWITCH)
    ? `${JSON.stringify({ jobs: records.map((record) => summaryOf(record, now)) }, null, 2)}\n`
    : jobsTable(records, now);
  context.stdout.write(text);
}

async function readHistory(stateDir: string, limit: number): Promise<readonly JobRecord[]> {
  await checkReadable(stateDir);
  const journal = readJournal(stateDir);
  if (journal === undefined) throw nothingHere(`there is no journal in ${stateDir}`);
  try {
    return journal.history(limit);
  } finally {
    journal.close();
  }
}
