import { styleText } from 'node:util';
import { pullText } from '../../agent/events/pull-text.ts';
import type { Status, StatusTarget } from '../../control-api/status-schema.ts';
import { readableDuration, readableEarnings, readablePrice } from '../../lib/readable.ts';
import { count } from '../count.ts';
import { linesOf, type Page } from '../lines.ts';
import { untilText } from '../local-time.ts';
import { type Column, table } from '../table.ts';

/** What the layout of a status needs to know about its output. */
export type StatusPage = Page & { readonly colour: boolean };

type Style = Parameters<typeof styleText>[0];
type Section = { readonly text: string; readonly style?: Style };

/** Of a name that others wrote, on one line. */
const MAX_NAME = 200;

/** The whole status, for a screen of 80 columns; no line is longer than the page. Pure. */
export function statusText(status: Status, page: StatusPage): string {
  return statusLines(status, page)
    .map((line) => `${line}\n`)
    .join('');
}

/** The lines of the status without their ends; in colour where the page has it. Pure. */
export function statusLines(status: Status, page: StatusPage): readonly string[] {
  const lines = sectionsOf(status, page).flatMap(({ style, text }) =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => paint(clip(line, page.columns), style, page)),
  );
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function sectionsOf(status: Status, page: StatusPage): readonly Section[] {
  const { agent, offers, targets } = status;
  const reason = reasonText(status);
  const problem = problemText(status);
  const hint = (text: string | null | undefined): Section[] =>
    text ? [paragraph(`  hint: ${text}`, page, 'gray')] : [];
  return [
    paragraph(status.sentence, page, STYLES[status.state]),
    ...(reason === undefined ? [] : [paragraph(reason, page, 'yellow'), ...hint(status.reason?.hint)]),
    ...(problem === undefined ? [] : [paragraph(problem, page, 'red'), ...hint(status.problem?.hint)]),
    ...(targets.length === 0 ? [] : [BLANK, ...tableOf(TARGETS, targets.flatMap(rowsOf(status)), page)]),
    ...(offers.length === 0 ? [] : [BLANK, ...tableOf(OFFERS, offers, page)]),
    BLANK,
    ...status.pulls.map(({ image, secondsLeft, ...pull }) =>
      paragraph(pullText({ ...pull, image: cutName(image), secondsLeft: secondsLeft ?? undefined }), page),
    ),
    paragraph(todayText(status), page),
    ...pendingText(status).map((text) => paragraph(text, page)),
    ...(agent === null
      ? []
      : [paragraph(`agent: ${agent.version}, up ${readableDuration(agent.upMs)}`, page, 'gray')]),
  ];
}

const BLANK: Section = { text: '' };

const STYLES: Readonly<Record<Status['state'], Style>> = {
  starting: 'yellow',
  blocked: 'red',
  held: 'yellow',
  working: 'green',
  waiting: 'green',
  draining: 'yellow',
  evicting: 'yellow',
  stopped: 'red',
};

/** Which targets take no new jobs, why, and until when; undefined: all take them. Pure. */
export function reasonText({ at, reason, targets }: Status): string | undefined {
  if (reason === null) return undefined;
  const end = reason.until === null ? '' : ` until ${untilText(reason.until, at)}`;
  const offered = targets.filter(({ slots }) => slots > 0).length;
  const isAll = reason.targets.length === 0 || (offered > 1 && reason.targets.length >= offered);
  // The sentence above says what it is about.
  if (isAll) return `${reason.why}${end}`;
  const verb = reason.names.length === 1 ? 'takes' : 'take';
  return `${cutName(reason.names.join(', '))} ${verb} no new jobs: ${reason.why}${end}`;
}

/** The worst problem, unless it is the reason that is shown anyway. */
function problemText({ problem, reason }: Status): string | undefined {
  if (problem === null || (reason !== null && problem.why.endsWith(reason.why))) return undefined;
  return `problem: ${problem.why}`;
}

type Row = {
  readonly name: string;
  /** Null also for all but the first row of a target. */
  readonly figures: StatusTarget['figures'];
  readonly does: string;
  readonly ran: string;
  readonly earned: string;
};

/** One row for each job of a target, or one that says what it does without. */
function rowsOf(status: Status): (target: StatusTarget) => readonly Row[] {
  return (target) => {
    const { figures, jobs } = target;
    const name = shortName(target);
    if (jobs.length === 0) return [{ name, figures, does: idleText(target, status), ran: '', earned: '' }];
    return jobs.map((job, index) => ({
      name: index === 0 ? name : '',
      figures: index === 0 ? figures : null,
      does: `${job.function}${job.state === 'running' ? '' : ` (${job.state})`}${slowText(target)}`,
      ran: job.ranMs === null ? '' : readableDuration(job.ranMs),
      earned: job.ranMs === null ? '' : readableEarnings(job.earned),
    }));
  };
}

function idleText({ figures, hold, mode, slots, target }: StatusTarget, { at, reason }: Status): string {
  if (hold !== null) {
    // The reason that stands above is not repeated.
    if (reason?.targets.includes(target)) return HELD[hold.kind];
    const end = hold.until === null ? '' : ` until ${untilText(hold.until, at)}`;
    return `no new jobs: ${hold.why}${end}`;
  }
  if (slots === 0) return 'not offered';
  const forced = mode === 'on' ? ' (mode on)' : '';
  return `${figures?.asleep === true ? 'asleep, takes jobs' : 'takes jobs'}${forced}`;
}

const HELD: Readonly<Record<NonNullable<Status['reason']>['kind'], string>> = {
  safety: 'no new jobs: problem',
  manual: 'no new jobs: paused',
  presence: 'no new jobs: owner is here',
  calendar: 'no new jobs: schedule',
};

/** Throttling by heat or for lack of power is a fault; a power limit under load is not. */
function slowText({ figures }: StatusTarget): string {
  const reasons = figures?.throttle ?? [];
  if (reasons.some((reason) => reason.endsWith('thermal'))) return ', slowed by heat';
  return reasons.some((reason) => reason.startsWith('hw_')) ? ', slowed by the hardware' : '';
}

/** A target in few characters: `GPU 0`, `GPU 0:1`, `CPU`. The model stands beside its offer. */
function shortName({ index, kind, profile, target }: StatusTarget): string {
  if (kind === 'cpu') return 'CPU';
  if (index === null) return target.slice(0, 12);
  return kind === 'slice' ? `GPU ${index} ${profile ?? ''}`.trimEnd() : `GPU ${index}`;
}

const figure =
  (unit: string, of: (figures: NonNullable<StatusTarget['figures']>) => number | null) =>
  ({ figures }: Row): string => {
    const value = figures === null ? null : of(figures);
    return value === null ? '' : `${Math.round(value)}${unit}`;
  };

const TARGETS: readonly Column<Row>[] = [
  { title: 'TARGET', cell: ({ name }) => name, wrap: true },
  { title: 'DOES', cell: ({ does }) => cutName(does), wrap: true },
  { title: 'FOR', cell: ({ ran }) => ran, right: true },
  { title: 'EARNED', cell: ({ earned }) => earned, right: true },
  { title: 'TEMP', cell: figure(' C', ({ temperatureC }) => temperatureC), right: true },
  { title: 'POWER', cell: figure(' W', ({ powerW }) => powerW), right: true },
  { title: 'MEMORY', cell: memoryText, right: true },
  { title: 'USE', cell: figure('%', ({ utilizationPercent }) => utilizationPercent), right: true },
];

function memoryText({ figures }: Row): string {
  const { memoryTotalMiB: total = null, memoryUsedMiB: used = null } = figures ?? {};
  if (used === null) return '';
  const gib = (mib: number): string => (mib / 1024).toFixed(mib < 10 * 1024 ? 1 : 0);
  return total === null ? `${gib(used)} G` : `${gib(used)}/${Math.round(total / 1024)} G`;
}

const OFFERS: readonly Column<Status['offers'][number]>[] = [
  { title: 'OFFER', cell: ({ name }) => cutName(name), wrap: true },
  { title: 'ASK/MIN', cell: ({ askPrice }) => readablePrice(askPrice), right: true },
  { title: 'SLOTS', cell: ({ slots }) => String(slots), right: true },
  { title: 'BUSY', cell: ({ used }) => String(used), right: true },
  {
    title: 'MARKET',
    cell: ({ onMarket, open, slots, why }) =>
      onMarket ? (open < slots ? `on, with ${open}` : 'on') : `off: ${why ?? ''}`,
    wrap: true,
  },
];

function todayText({ pending, today }: Status): string {
  const kinds = Object.entries(today.jobs).filter(([, jobs]) => jobs > 0);
  const total = kinds.reduce((sum, [, jobs]) => sum + jobs, 0);
  const each = kinds.map(([kind, jobs]) => `${jobs} ${kind}`).join(', ');
  const ended = total === 0 ? 'no job has ended' : `${count(total, 'job')}: ${each}`;
  const waiting = pending.earned > 0 ? ` and ${readableEarnings(pending.earned)} pending` : '';
  return `today: ${readableEarnings(today.earned)} confirmed${waiting}${costText(today)}; ${ended}`;
}

/** Nothing where no power cost is known, and where nothing has cost anything. */
function costText({ net, powerCost, unpricedJobs }: Status['today']): string {
  if (net === null || powerCost === null || (powerCost === 0 && unpricedJobs === 0)) return '';
  const most = unpricedJobs > 0 ? 'at most ' : '';
  return `; power ${readableEarnings(powerCost)}, net ${most}${readableEarnings(net)}`;
}

function pendingText({ pending: { releases, reports } }: Status): readonly string[] {
  const parts = [
    ...(reports > 0 ? [count(reports, 'report')] : []),
    ...(releases > 0 ? [count(releases, 'release')] : []),
  ];
  return parts.length === 0 ? [] : [`waiting for the broker: ${parts.join(', ')}`];
}

function paragraph(text: string, page: StatusPage, style?: Style): Section {
  return { text: linesOf(text, page).join('\n'), ...(style !== undefined && { style }) };
}

/** A table with its titles in gray. */
function tableOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  page: StatusPage,
): readonly Section[] {
  // A column of a host without such figures would only take room.
  const shown = columns.filter((column) => rows.some((row) => column.cell(row) !== ''));
  const [head = '', ...body] = table(shown, rows, page).replace(/\n$/, '').split('\n');
  return [{ text: head, style: 'gray' }, { text: body.join('\n') }];
}

function cutName(text: string): string {
  return text.length <= MAX_NAME ? text : `${text.slice(0, MAX_NAME - 1)}…`;
}

/** Columns that do not wrap may be wider than a very narrow page. */
function clip(line: string, columns: number): string {
  return line.length <= columns ? line : line.slice(0, columns);
}

function paint(line: string, style: Style | undefined, { colour }: StatusPage): string {
  return colour && style !== undefined && line !== ''
    ? styleText(style, line, { validateStream: false })
    : line;
}
