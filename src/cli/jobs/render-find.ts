import type { Connection } from '../../domain/connection.ts';
import { readableDuration } from '../../lib/readable.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { table } from '../table.ts';
import type { FindResult, FoundJob } from './find.ts';

/** How many connections of one job a terminal shows; `--json` has more. */
const MAX_SHOWN = 10;

/** One job of the answer with its connections; undefined: no job of the journal had the address. */
type Group = { readonly job: FoundJob | undefined; readonly connections: Connection[] };

/** The answer for people: each job with what names it, and its connections. All times are UTC. */
export function findText(result: FindResult, page: Page): string {
  const { at, connections, log, withinMs } = result;
  const zone = at.assumed ? 'UTC, assumed because no zone was given' : at.zone;
  const port = result.port === undefined ? '' : ` port ${result.port}`;
  const asked = `connections to ${result.destination}${port} within ${readableDuration(withinMs)} of ${iso(at.ms)} (${zone})`;
  if (connections.length === 0)
    return paragraph(
      `no ${asked}; ${log.since === undefined ? 'the log is empty' : `the log begins on ${log.since}`}\n` +
        `${gapText(log)}hint: a long connection began earlier, so try a larger --within`,
      page,
    );
  const groups = grouped(result);
  const more = log.more ? `only the first ${connections.length} are shown; narrow --within\n` : '';
  return [
    paragraph(`${count(connections.length, 'connection')} of ${asked}`.replace('of connections ', ''), page),
    ...groups.map((group) => groupText(group, page)),
    more,
    gapText(log),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** When connections may be missing, a line for each; nothing where none can be. */
function gapText({ gaps }: FindResult['log']): string {
  const lines = gaps.map(
    ({ fromMs, toMs }) => `the log was not written from ${iso(fromMs)} to ${iso(toMs)}\n`,
  );
  return lines.join('');
}

function groupText({ connections, job }: Group, page: Page): string {
  const facts = table(
    [
      { title: 'FACT', cell: ([name]) => name },
      { title: 'VALUE', cell: ([, value]) => value, wrap: true },
    ],
    factsOf(job, connections),
    page,
  );
  const shown = table(
    [
      { title: 'TIME', cell: (one) => iso(one.at) },
      { title: 'PROTOCOL', cell: (one) => one.protocol },
      { title: 'FROM PORT', cell: (one) => String(one.outerPort ?? ''), right: true },
      {
        title: 'TO',
        cell: (one) => `${one.destination}${one.destinationPort === null ? '' : `:${one.destinationPort}`}`,
      },
    ],
    connections.slice(0, MAX_SHOWN),
    page,
  );
  const rest = connections.length - MAX_SHOWN;
  return `${facts}\n${shown}${rest > 0 ? `and ${count(rest, 'more connection')}\n` : ''}`;
}

function doubt({ address }: FoundJob['use']): string {
  return address === null
    ? 'its address is not known, but it ran then'
    : 'containers with that address began or ended at about that time';
}

function factsOf(
  job: FoundJob | undefined,
  connections: readonly Connection[],
): readonly (readonly [string, string])[] {
  if (job === undefined)
    return [
      ['job', 'none in the journal: a test container of the agent, or deleted after --keep-history'],
      ['address', connections[0]?.address ?? ''],
    ];
  const { certain, record, use } = job;
  const ended = use.endedAt === null ? 'no end is known' : iso(use.endedAt);
  return [
    ['job', certain ? use.job : `${use.job}, possibly: ${doubt(use)}`],
    ['run', record?.run ?? 'deleted from the journal'],
    ['function', record?.functionName ?? ''],
    ['image', record?.image ?? ''],
    ['address', use.address ?? connections[0]?.address ?? ''],
    ['time', `${iso(use.startedAt)} to ${ended}`],
  ];
}

function grouped({ connections }: FindResult): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { connection, jobs } of connections)
    for (const job of jobs.length === 0 ? [undefined] : jobs) {
      const key = job?.use.container ?? `address ${connection.address}`;
      const group = groups.get(key) ?? { job, connections: [] };
      group.connections.push(connection);
      groups.set(key, group);
    }
  return [...groups.values()];
}

/** The same as JSON, one entry per connection. Times are ISO 8601 in UTC; unknown is null. */
export function findJson(result: FindResult): string {
  const { at, connections, destination, log, port, sourcePort, withinMs } = result;
  const shown = {
    destination,
    port: port ?? null,
    sourcePort: sourcePort ?? null,
    at: iso(at.ms),
    zone: at.zone,
    zoneAssumed: at.assumed,
    withinMs,
    logSince: log.since ?? null,
    logGaps: log.gaps.map(({ fromMs, toMs }) => ({ from: iso(fromMs), to: iso(toMs) })),
    more: log.more,
    connections: connections.map(({ connection, jobs }) => ({
      ...connection,
      at: iso(connection.at),
      jobs: jobs.map(({ certain, record, use }) => ({
        job: use.job,
        run: record?.run ?? null,
        function: record?.functionName ?? null,
        image: record?.image ?? null,
        certain,
        state: record?.state.name ?? null,
        container: use.container,
        startedAt: iso(use.startedAt),
        endedAt: use.endedAt === null ? null : iso(use.endedAt),
      })),
    })),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function paragraph(text: string, page: Page): string {
  return `${text
    .split('\n')
    .flatMap((line) => linesOf(line, page))
    .join('\n')}\n`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
