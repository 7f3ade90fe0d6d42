import type { Report } from '../../domain/job.ts';
import type { JobChange, JobDetails } from '../../journal/job-details.ts';
import {
  readableBytes,
  readableDuration,
  readableEarnings,
  readableEnergy,
  readablePrice,
} from '../../lib/readable.ts';
import { dollars } from '../../pricing/money.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { localTime } from '../local-time.ts';
import { table } from '../table.ts';
import type { ShownJob } from './json.ts';
import { stateText } from './render.ts';

/** How many characters and lines of an output a terminal shows; `--json` has all. */
const MAX_SHOWN = 2_000;
const MAX_LINES = 40;
const INDENT = '  ';

/** A job for people: its facts, its history, and the beginning of its report while that is in the journal. */
export function detailsText(shown: ShownJob, page: Page): string {
  const { details: job, report } = shown;
  const facts = factsOf(shown).filter((fact): fact is readonly [string, string] => fact[1] !== null);
  const sections = [
    table(
      [
        { title: 'FACT', cell: ([name]) => name },
        { title: 'VALUE', cell: ([, value]) => value, wrap: true },
      ],
      facts,
      page,
    ),
    ...(job.history.length === 0
      ? []
      : [
          table(
            [
              { title: 'WHEN', cell: ({ at }) => localTime(new Date(at), 'seconds') },
              { title: 'STATE', cell: eventText, wrap: true },
            ],
            job.history,
            page,
          ),
        ]),
    output('build logs', report?.buildLogs ?? job.buildLogs, page),
    output('stdout', report?.stdout ?? null, page),
    output('stderr', report?.stderr ?? null, page),
    output('result', report?.result ?? null, page),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

function factsOf({ details: job, report }: ShownJob): readonly (readonly [string, string | null])[] {
  const time = (at: number | null): string | null =>
    at === null ? null : localTime(new Date(at), 'seconds');
  return [
    ['job', job.job],
    ['state', stateText(job)],
    ['run', job.run],
    ['function', job.function],
    ['image', job.image],
    ['offer', job.offer],
    ['instance', job.instance],
    ['slot', job.slot],
    ['gpu', job.gpu],
    ['broker', job.broker],
    ['container', job.container],
    ['ask', `${readablePrice(job.askPrice)} per minute`],
    ['timeout', readableDuration(job.timeoutMs)],
    ['claimed', time(job.claimedAt)],
    ['started', time(job.startedAt)],
    ['ended', time(job.endedAt)],
    ['duration', job.durationMs === null ? null : readableDuration(job.durationMs)],
    ['note', job.note],
    ['report', job.sizes && sizesText(job.sizes, report)],
    ['address', job.address],
    ['sent', job.sentBytes === null ? null : readableBytes(job.sentBytes)],
    ['received', job.receivedBytes === null ? null : readableBytes(job.receivedBytes)],
    ['energy', energyText(job)],
    ['earned', job.earned === null ? null : readableEarnings(job.earned)],
    ['power', costText(job.powerCostMicroDollars, job.isPowerCostEstimate)],
    ['net', costText(job.netMicroDollars, job.isPowerCostEstimate)],
  ];
}

function energyText({ durationMs, energyJoules, idleJoules, isEnergyEstimate, measuredMs }: JobDetails) {
  if (energyJoules === null) return null;
  const part = Math.floor((100 * (measuredMs ?? 0)) / Math.max(durationMs ?? 0, measuredMs ?? 0, 1));
  const facts = [
    `${isEnergyEstimate === true ? '~' : ''}${readableEnergy(energyJoules)}`,
    idleJoules === 0
      ? 'what the GPU takes idle is not known'
      : `${readableEnergy(idleJoules ?? 0)} of it as if idle`,
    ...(isEnergyEstimate === true && part < 98 ? [`measured ${part} % of the time`] : []),
  ];
  return facts.join('; ');
}

/** `~` marks an estimate. */
function costText(microDollars: number | null, isEstimate: boolean | null): string | null {
  if (microDollars === null) return null;
  return `${isEstimate === true ? '~' : ''}${readableEarnings(dollars(microDollars))}`;
}

function sizesText(
  { result, stderr, stdout }: NonNullable<JobDetails['sizes']>,
  report: Report | null,
): string {
  const parts = Object.entries({ stdout, stderr, result });
  const text = parts.map(([name, size]) => `${name} ${count(size, 'character')}`).join(', ');
  return report === null ? `${text}; not kept here after its delivery` : text;
}

function eventText({ durationMs, earned, outcome, state, why }: JobChange): string {
  const facts = [
    outcome,
    durationMs === null ? null : readableDuration(durationMs),
    earned === null ? null : readableEarnings(earned),
    why,
  ].filter((fact) => fact !== null);
  return facts.length === 0 ? state : `${state}: ${facts.join(', ')}`;
}

/** The beginning of a text under its name, each line made printable; empty if there is none. */
function output(name: string, text: string | null, page: Page): string {
  if (text === null || text === '') return '';
  const all = text.slice(0, MAX_SHOWN).replace(/\n$/, '').split('\n');
  const lines = all.slice(0, MAX_LINES).flatMap((line) => linesOf(line, page, INDENT.length));
  const cut = text.length > MAX_SHOWN || all.length > MAX_LINES;
  const title = cut ? `${name}, the beginning of ${count(text.length, 'character')}; --json has all` : name;
  return [...linesOf(title, page), ...lines.map((line) => `${INDENT}${line}`)]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
