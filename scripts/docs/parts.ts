import type { CliCommand } from '../../src/cli/command.ts';
import { optionsTable } from '../../src/config/document.ts';
import { SKIP_REASONS } from '../../src/domain/decide.ts';
import { ERROR_KINDS } from '../../src/domain/errors.ts';
import { exitCodes } from '../../src/domain/exit-codes.ts';
import { canTransition, isTerminal, type JobStateName } from '../../src/domain/job.ts';
import { ACTIONS, type Action, PHASES, type Phase, SIGNAL_TABLE, SIGNALS } from '../../src/domain/signals.ts';
import { alignTable } from './align-table.ts';
import { COMMANDS } from './commands.ts';

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
]);

/** What each state of a job means; which follow comes from the domain. */
const STATES: Readonly<Record<JobStateName, string>> = {
  claiming: 'written before the claim is sent',
  claimed: 'the broker gave it to us; no container yet',
  starting: 'its container exists and is about to be started',
  running: 'its container was started',
  finished: 'it has ended, and its whole report lies in the journal',
  reported: 'the broker has taken the report',
  releasing: 'it is to go back to the market; the broker has to hear of it',
  released: 'it is back on the market',
  cancelling: 'the broker took it back while it ran; its container is being ended',
  dropped: 'it is not ours: a lost claim, a cancelled run, a report that nobody wants',
};
const STATE_NAMES = Object.keys(STATES).filter((name): name is JobStateName => Object.hasOwn(STATES, name));

function commandsTable(): string {
  const flags = (command: CliCommand): string =>
    [
      ...command.switches.map(({ name }) => `\`--${name}\``),
      ...command.values.map(({ name, type }) => `\`--${name} ${type.metavar}\``),
    ].join(' ');
  const invocation = ({ actions = [], name }: CliCommand): string =>
    `\`${[name, actions.map(({ name }) => name).join('|')].join(' ').trim()}\``;
  return table(
    ['command', 'what it does', 'flags of its own'],
    COMMANDS.map((command) => [invocation(command), command.summary, flags(command)]),
  );
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
    ['it is to', 'so it', 'exit code'],
    ACTION_NAMES.map((name) => [ACTION_WORDS[name], ACTIONS[name].meaning, String(ACTIONS[name].exit ?? '')]),
  );
}

function errorsTable(): string {
  return table(
    ['error', 'what happened', 'what to do, unless the error says it', 'exit code'],
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
    ['reason', 'in words'],
    Object.entries(SKIP_REASONS).map(([reason, words]) => [`\`${reason}\``, words]),
  );
}

function jobStatesTable(): string {
  return table(
    ['state', 'meaning', 'may become'],
    STATE_NAMES.map((name) => [`\`${name}\``, STATES[name], nextOf(name)]),
  );
}

function nextOf(name: JobStateName): string {
  const next = STATE_NAMES.filter((other) => canTransition(name, other)).map((other) => `\`${other}\``);
  if (!isTerminal(name)) return next.join(', ');
  return next.length === 0 ? 'the end' : `the end; claimed anew: ${next.join(', ')}`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return alignTable([line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n'));
}
