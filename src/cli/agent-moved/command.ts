import { EXIT } from '../../domain/exit-codes.ts';
import { OPEN_STATES } from '../../domain/job.ts';
import { machineId } from '../../host/machine-id.ts';
import { openJournal } from '../../journal/open-journal.ts';
import { ownerFor } from '../../state-dir/ownership.ts';
import { openStateDir } from '../../state-dir/state-dir.ts';
import { type CliCommand, JSON_SWITCH } from '../command.ts';
import { count } from '../count.ts';
import { checkReadable, requireJournal } from '../readable-state-dir.ts';

/** Records the owner's confirmation that no other agent and no other engine has the unfinished jobs. Sends nothing. */
export const agentMoved: CliCommand = {
  name: 'agent-moved',
  summary: 'confirm that no other agent and no other Docker engine has the unfinished jobs',
  group: 'Set up',
  options: ['brokerUrl', 'stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    {
      line: 'agent-moved',
      does: 'before the agent starts where the old machine or engine is gone',
    },
  ],
  run: async (context) => {
    const { brokerUrl, stateDir } = (await context.loadConfig({ ask: false })).config;
    await checkReadable(stateDir);
    requireJournal(stateDir);
    using opened = new DisposableStack();
    const dir = opened.adopt(openStateDir(stateDir, ownerFor(stateDir, context.uid)), (one) => one.close());
    const options = { machine: machineId(), agentMoved: true };
    const journal = opened.adopt(openJournal(dir, brokerUrl, context.clock, options), (one) => one.close());
    const jobs = journal.uuidsIn(...OPEN_STATES).length;
    context.stdout.write(
      context.has(JSON_SWITCH) ? `${JSON.stringify({ jobs }, null, 2)}\n` : confirmed(jobs),
    );
    return EXIT.OK;
  },
};

function confirmed(jobs: number): string {
  return `${count(jobs, 'unfinished job')} are this agent’s now; the next start reports what has ended, reattaches to those whose containers it finds, and releases the others\n`;
}
