import type { Config } from '../../config/config.ts';
import { count } from '../../config/number-types.ts';
import type { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { OPEN_STATES } from '../../domain/job.ts';
import { type JournalReader, readJournal } from '../../journal/open-journal.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { checkReadable, noJournal } from '../readable-state-dir.ts';
import { AT, DESTINATION, findJobs, PORT, readQuestion, SOURCE_PORT, WITHIN } from './find.ts';
import { detailsJson } from './json.ts';
import { FOLLOW, showOutput } from './logs.ts';
import { jobsJson, jobsTable } from './render.ts';
import { detailsText } from './render-details.ts';
import { findJson, findText } from './render-find.ts';
import { withJobs } from './source.ts';

const LIMIT: ValueFlag<number> = {
  name: 'limit',
  help: 'how many jobs to show, newest first',
  type: count(1, 1_000_000),
  default: '50',
  action: '',
};

const OPEN: Switch = {
  name: 'open',
  help: 'only unfinished jobs: claimed, running or not reported yet; prints nothing if there are none',
  action: '',
};

const NO_JOBS_YET = 'start the agent once, or name its state directory with --state-dir';

/** Reads the journal, so a running agent is not disturbed; where this user may not read it, the agent is asked. */
export const jobs: CliCommand = {
  name: 'jobs',
  summary: 'list the jobs that ran here: state, duration, earnings',
  group: 'Look',
  actions: [
    { name: 'find', help: 'which job opened a connection, as a letter about abuse names it' },
    { name: 'show', argument: 'ID', help: 'everything about one job; ID may be the beginning of its id' },
    { name: 'logs', argument: 'ID', help: 'what a job prints, live, or the end of what it has printed' },
  ],
  actionOptional: true,
  options: ['stateDir', 'jobTrafficLogDir', 'configFile'],
  switches: [OPEN, FOLLOW, JSON_SWITCH],
  values: [LIMIT, DESTINATION, PORT, SOURCE_PORT, AT, WITHIN],
  examples: [
    { line: 'jobs --limit 20', does: 'the latest 20' },
    { line: 'jobs --open --json', does: 'unfinished jobs as JSON' },
    {
      line: 'jobs find --destination 203.0.113.10 --at 2026-11-26T14:03Z',
      does: 'the jobs that connected to that address around that time',
    },
    { line: 'jobs show 531d8edc', does: 'states, times, earnings and report of one job' },
    { line: 'jobs logs 531d8edc --follow', does: 'what a job prints, until it ends' },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    if (context.action === 'find') return find(context, config);
    if (context.action === 'show') return showJob(context, config.stateDir);
    if (context.action === 'logs')
      return showOutput(context, config.stateDir, (read) => withJournal(config.stateDir, read));
    await list(context, config.stateDir);
    return EXIT.OK;
  },
};

/** Prints the jobs as they are read: a journal may have a million. */
async function list(context: CliContext, stateDir: string): Promise<void> {
  const { stdout } = context;
  const isJson = context.has(JSON_SWITCH);
  const isOpen = context.has(OPEN);
  await withJobs(context, stateDir, async (source) => {
    // Without a journal no job is unfinished.
    if (source === undefined && !isOpen) throw await noJobs(stateDir);
    const wanted = { limit: context.valueOf(LIMIT), states: isOpen ? OPEN_STATES : [], withNetwork: isJson };
    const listed = source?.list(wanted) ?? [];
    for await (const part of isJson ? jobsJson(listed) : jobsTable(listed, stdout, { isOpen }))
      stdout.write(part);
  });
}

async function find(context: CliContext, config: Config): Promise<number> {
  const question = readQuestion(context);
  await checkReadable(config.stateDir, NO_JOBS_YET);
  const journal = readJournal(config.stateDir);
  if (journal === undefined) throw noJournal(config.stateDir, NO_JOBS_YET);
  try {
    const result = await findJobs(question, config, journal);
    const { stdout } = context;
    stdout.write(context.has(JSON_SWITCH) ? findJson(result) : findText(result, stdout));
    return EXIT.OK;
  } finally {
    journal.close();
  }
}

async function showJob(context: CliContext, stateDir: string): Promise<number> {
  const shown = await withJobs(context, stateDir, async (source) => {
    if (source === undefined) throw await noJobs(stateDir);
    return source.show(context.argument.trim());
  });
  const { stdout } = context;
  stdout.write(
    context.has(JSON_SWITCH)
      ? `${JSON.stringify({ job: detailsJson(shown) }, null, 2)}\n`
      : detailsText(shown, stdout),
  );
  return EXIT.OK;
}

/** The error for a state directory that is absent or has no journal. */
async function noJobs(stateDir: string): Promise<AgentError> {
  await checkReadable(stateDir, NO_JOBS_YET);
  return noJournal(stateDir, NO_JOBS_YET);
}

/** Reads the journal, whether or not an agent runs. Throws STATE_DIR_UNUSABLE without one. */
async function withJournal<T>(stateDir: string, read: (journal: JournalReader) => T): Promise<T> {
  await checkReadable(stateDir, NO_JOBS_YET);
  const journal = readJournal(stateDir);
  if (journal === undefined) throw noJournal(stateDir, NO_JOBS_YET);
  try {
    return read(journal);
  } finally {
    journal.close();
  }
}
