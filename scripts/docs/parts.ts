import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { actionsText, type CliCommand } from '../../src/cli/command.ts';
import { optionsTable } from '../../src/config/options-markdown.ts';
import { ENDPOINTS, type Endpoint } from '../../src/control-api/endpoints.ts';
import { SKIP_REASONS } from '../../src/domain/decide.ts';
import { ERROR_KINDS } from '../../src/domain/errors.ts';
import { exitCodes } from '../../src/domain/exit-codes.ts';
import { canTransition, isTerminal, type JobStateName } from '../../src/domain/job.ts';
import {
  conditionKind,
  isCondition,
  NOTIFICATION_KINDS,
  notificationKind,
} from '../../src/domain/notification-kinds.ts';
import { ACTIONS, type Action, PHASES, type Phase, SIGNAL_TABLE, SIGNALS } from '../../src/domain/signals.ts';
import { readableDuration } from '../../src/lib/readable.ts';
import { LIMITS, type Limit } from '../../src/limits.ts';
import { alignTable } from './align-table.ts';
import { COMMANDS } from './commands.ts';
import { ROOT } from './documents.ts';
import { documentedEvents } from './events.ts';
import { metricsRows } from './metrics.ts';

/** What the documents take from the code, by the name in their marks; each renders Markdown. */
export const PARTS: ReadonlyMap<string, () => string> = new Map([
  ['commands', commandsTable],
  ['options', () => alignTable(optionsTable())],
  ['exit-codes', exitCodesTable],
  ['signals', signalsTable],
  ['signal-actions', signalActionsTable],
  ['errors', errorsTable],
  ['skip-reasons', skipReasonsTable],
  ['job-states', jobStatesTable],
  ['decisions', decisionsTable],
  ['events', eventsTable],
  ['limits', limitsTable],
  ['metrics', () => table(['metric', 'type', 'unit', 'counts since', 'meaning'], metricsRows())],
  ['control-api', controlApiText],
  ['notifications', notificationsTable],
]);

/** What each state of a job means; which follow comes from the domain. */
const STATES: Readonly<Record<JobStateName, string>> = {
  claiming: 'the claim is about to be sent',
  claimed: 'the broker accepted the claim; there is no container yet',
  starting: 'the container exists and is about to be started',
  running: 'the container was started',
  finished: 'the job has ended, and its whole report is in the journal',
  reported: 'the broker accepted the report',
  releasing: 'the job is to be released; the broker has not confirmed it yet',
  released: 'the job is back on the market',
  cancelling: 'the broker took the running job back; its container is being stopped',
  dropped: 'the job is not ours: rejected claim, cancelled run, or a report that the broker rejected',
};
const STATE_NAMES = Object.keys(STATES).filter((name): name is JobStateName => Object.hasOwn(STATES, name));

function commandsTable(): string {
  const flags = (command: CliCommand): string =>
    [
      ...command.switches.map(({ name }) => `\`--${name}\``),
      ...command.values.map(({ name, type }) => `\`--${name} ${type.metavar}\``),
    ].join(' ');
  const invocation = (command: CliCommand): string =>
    `\`${`${command.name} ${actionsText(command)}`.trim()}\``;
  return table(
    ['command', 'what it does', 'flags of its own'],
    COMMANDS.map((command) => [invocation(command), command.summary, flags(command)]),
  );
}

/** Every endpoint, with the JSON schemas of its body and its answer. */
function controlApiText(): string {
  const schemaOf = (title: string, schema: z.ZodType): string =>
    `${title}:\n\n\`\`\`json\n${JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), null, 1)}\n\`\`\``;
  return Object.values<Endpoint>(ENDPOINTS)
    .map(({ answer, does, method, path, request, right, stream }) =>
      [
        `### \`${method} ${path}\``,
        `${does}. Right: \`${right}\`.${stream === true ? ' A stream: one object a line.' : ''}`,
        ...(method === 'POST' ? [schemaOf('Body', request)] : []),
        schemaOf(stream === true ? 'Each object' : 'Answer', answer),
      ].join('\n\n'),
    )
    .join('\n\n');
}

function exitCodesTable(): string {
  return table(
    ['exit code', 'meaning'],
    exitCodes().map(({ exit, meaning }) => [String(exit), meaning]),
  );
}

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  working: 'works',
  draining: 'drains',
  evicting: 'evicts',
  stopping: 'stops',
};
const ACTION_WORDS: Readonly<Record<Action, string>> = {
  stop: 'stop',
  drain: 'drain',
  evict: 'evict',
  abandon: 'exit at once',
  reload: 'reload',
};
const ACTION_NAMES = Object.keys(ACTIONS).filter((name): name is Action => Object.hasOwn(ACTIONS, name));

function signalsTable(): string {
  return table(
    ['while the agent', SIGNALS.end.join(' or '), SIGNALS.drain.join(' or '), SIGNALS.reload.join(' or ')],
    PHASES.map((phase) => [
      PHASE_WORDS[phase],
      ACTION_WORDS[SIGNAL_TABLE[phase].end],
      ACTION_WORDS[SIGNAL_TABLE[phase].drain],
      ACTION_WORDS[SIGNAL_TABLE[phase].reload],
    ]),
  );
}

function signalActionsTable(): string {
  return table(
    ['action', 'the agent', 'exit code'],
    ACTION_NAMES.map((name) => [ACTION_WORDS[name], ACTIONS[name].meaning, String(ACTIONS[name].exit ?? '')]),
  );
}

function errorsTable(): string {
  return table(
    ['error', 'what happened', 'hint, unless the error has its own', 'exit code'],
    Object.entries(ERROR_KINDS).map(([code, { exit, hint, what }]) => [
      `\`${code}\``,
      what,
      hint,
      String(exit),
    ]),
  );
}

function skipReasonsTable(): string {
  return table(
    ['reason', 'meaning'],
    Object.entries(SKIP_REASONS).map(([reason, words]) => [`\`${reason}\``, words]),
  );
}

function jobStatesTable(): string {
  return table(
    ['state', 'meaning', 'next'],
    STATE_NAMES.map((name) => [`\`${name}\``, STATES[name], nextOf(name)]),
  );
}

function nextOf(name: JobStateName): string {
  const next = STATE_NAMES.filter((other) => canTransition(name, other)).map((other) => `\`${other}\``);
  if (!isTerminal(name)) return next.join(', ');
  return next.length === 0 ? 'final' : `final; claimed again: ${next.join(', ')}`;
}

function eventsTable(): string {
  return table(
    ['event', 'level', 'message', 'fields'],
    documentedEvents().map(([name, level, message, fields]) => [`\`${name}\``, level, message, fields]),
  );
}

function notificationsTable(): string {
  return table(
    ['kind', 'what has happened', 'sent after', 'and when it is over'],
    NOTIFICATION_KINDS.map((kind) => {
      const { what } = notificationKind(kind);
      if (!isCondition(kind)) return [`\`${kind}\``, what, 'at once', '-'];
      const { graceMs, over } = conditionKind(kind);
      return [
        `\`${kind}\``,
        what,
        graceMs === 0 ? 'at once' : readableDuration(graceMs),
        over === undefined ? 'no' : 'yes',
      ];
    }),
  );
}

function limitsTable(): string {
  const rows: readonly (readonly [string, Readonly<Record<string, Limit>>])[] = Object.entries(LIMITS);
  return table(
    ['from', 'what', 'at most', 'beyond that'],
    rows.flatMap(([source, limits]) =>
      Object.values(limits).map(({ beyond, max, of, unit }) => [source, of, amount(max, unit), beyond]),
    ),
  );
}

/** `8 MiB`, `1,000 items`. */
function amount(max: number, unit: Limit['unit']): string {
  const MIB = 1024 * 1024;
  if (unit === 'bytes' && max % MIB === 0) return `${max / MIB} MiB`;
  if (unit === 'bytes' && max % 1024 === 0) return `${max / 1024} KiB`;
  return `${max.toLocaleString('en')} ${unit}`;
}

function decisionsTable(): string {
  const folder = join(ROOT, 'docs/decisions');
  const pages = readdirSync(folder).filter((name) => /^\d{4}-/.test(name));
  return table(
    ['decision', 'date'],
    pages.sort().map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const title = /^# (.+)$/m.exec(text)?.[1] ?? '';
      return [`[${title}](${name})`, /^- Date: (.+)$/m.exec(text)?.[1] ?? ''];
    }),
  );
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return alignTable([line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n'));
}
