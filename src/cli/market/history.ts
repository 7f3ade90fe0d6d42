import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { readableBytes, readablePrice } from '../../lib/readable.ts';
import { shortIds } from '../../lib/short-id.ts';
import { type HistorySummary, summaryOf } from '../../market-history/summary.ts';
import { type CliContext, JSON_SWITCH } from '../command.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { table } from '../table.ts';

/** Shows what the market history has, whether an agent runs or not. Throws STATE_DIR_UNUSABLE. */
export function showHistory(context: CliContext, stateDir: string): number {
  const { clock, stdout } = context;
  const summary = summaryOf(stateDir, clock.now());
  if (summary === undefined)
    throw new AgentError('STATE_DIR_UNUSABLE', `${stateDir} has no market history`, {
      hint: 'it begins when the agent has run for a minute, unless --market-history-size is off',
    });
  stdout.write(
    context.has(JSON_SWITCH) ? `${JSON.stringify(summary, null, 2)}\n` : historyText(summary, stdout),
  );
  return EXIT.OK;
}

function historyText({ bytes, coverage, days, medianBids, since }: HistorySummary, page: Page): string {
  const from = since === null ? 'nothing yet' : `since ${new Date(since).toISOString().slice(0, 16)}Z`;
  const head = [
    `market history: ${readableBytes(bytes)}, ${from}; of the last 7 days ${Math.round(coverage * 100)} % are known`,
  ].flatMap((line) => linesOf(line, page));
  const perDay = table(
    [
      { title: 'DAY (UTC)', cell: ({ day }) => new Date(day).toISOString().slice(0, 10) },
      { title: 'NEW RUNS', cell: ({ runs }) => String(runs), right: true },
      { title: 'PER HOUR', cell: ({ runs }) => (runs / 24).toFixed(1), right: true },
    ],
    days,
    page,
  );
  const perGpu = table(
    [
      {
        title: 'SMALLEST GPU',
        cell: ({ gpu, name }) => name ?? (gpu === null ? 'any or none' : shortIds(gpu)),
        wrap: true,
      },
      { title: 'RUNS', cell: ({ runs }) => count(runs, 'run'), right: true },
      { title: 'MEDIAN BID', cell: ({ bid }) => readablePrice(bid), right: true },
    ],
    medianBids,
    page,
  );
  return `${head.join('\n')}\n\n${perDay}\n${perGpu}`;
}
