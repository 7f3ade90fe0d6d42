import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, JSON_SWITCH, type Switch } from '../command.ts';
import { earningsCsv } from './csv.ts';
import { BY, DAYS, FROM, readQuery, UNTIL } from './range.ts';
import { earningsJson, earningsTable } from './render.ts';
import { readEarnings } from './source.ts';

const CSV: Switch = { name: 'csv', help: 'print CSV instead of text', action: '' };

/** Reads the ledger of the journal, so a running agent is not disturbed; where this user may not read it, the agent is asked. */
export const earnings: CliCommand = {
  name: 'earnings',
  summary: 'show what jobs have earned, the energy that they took and what is left',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [CSV, JSON_SWITCH],
  values: [BY, DAYS, FROM, UNTIL],
  examples: [
    { line: 'earnings', does: 'of each of the last 30 days' },
    { line: 'earnings --by function --days 7', does: 'of the last week, function by function' },
    { line: 'earnings --from 2026-01-01 --until 2026-12-31 --csv', does: 'a year for a spreadsheet' },
  ],
  run: async (context) => {
    const { stateDir } = (await context.loadConfig({ ask: false })).config;
    const shown = await readEarnings(context, stateDir, readQuery(context));
    const { stdout } = context;
    if (context.has(JSON_SWITCH)) stdout.write(earningsJson(shown));
    else stdout.write(context.has(CSV) ? earningsCsv(shown) : earningsTable(shown, stdout));
    return EXIT.OK;
  },
};
