import { z } from 'zod';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { askRunningAgent } from '../ask-agent.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { openInBrowser } from './open-in-browser.ts';

const READ_ONLY: Switch = {
  name: 'read-only',
  help: 'a link to a page that shows everything and changes nothing',
};
const NO_OPEN: Switch = { name: 'no-open', help: 'only print the link, also on a desktop' };
const SIGN_OUT_ALL: Switch = {
  name: 'sign-out-all',
  help: 'sign out everybody who has the page open, also by password',
};

/** The way into the status page. */
export const page: CliCommand = {
  name: 'page',
  summary: 'print a link that opens the status page once; on a desktop, open it',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [READ_ONLY, NO_OPEN, SIGN_OUT_ALL, JSON_SWITCH],
  values: [],
  examples: [
    { line: 'page', does: 'the link works once, within two minutes' },
    { line: 'page --read-only --no-open', does: 'for somebody who only looks' },
    { line: 'page --sign-out-all', does: 'if a link or password came into wrong hands' },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    if (context.has(SIGN_OUT_ALL)) await signOutAll(context, config.stateDir);
    else await printLink(context, config.stateDir);
    return EXIT.OK;
  },
};

async function signOutAll(context: CliContext, stateDir: string): Promise<void> {
  if (context.has(READ_ONLY))
    throw new AgentError('CONFIG_INVALID', '--sign-out-all and --read-only exclude each other', {
      hint: 'leave one of them out',
    });
  await askRunningAgent(context, stateDir, ENDPOINTS.pageSignOut, { body: {} });
  context.stdout.write(context.has(JSON_SWITCH) ? '{}\n' : 'everybody is signed out of the page\n');
}

async function printLink(context: CliContext, stateDir: string): Promise<void> {
  const { stderr, stdout } = context;
  const body = { readOnly: context.has(READ_ONLY) };
  const answer = await askRunningAgent(context, stateDir, ENDPOINTS.pageLink, { body });
  if (context.has(JSON_SWITCH)) {
    stdout.write(`${JSON.stringify(z.encode(ENDPOINTS.pageLink.answer, answer), null, 2)}\n`);
    return;
  }
  stdout.write(`${answer.url}\n`);
  for (const other of answer.others) stdout.write(`from elsewhere: ${other}\n`);
  if (!stdout.isTerminal) return;
  stderr.write('it works once, within two minutes\n');
  if (context.desktop !== undefined && !context.has(NO_OPEN))
    await openInBrowser(answer.url, context.desktop);
}
