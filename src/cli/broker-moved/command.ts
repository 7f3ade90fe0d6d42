import { EXIT } from '../../domain/exit-codes.ts';
import { machineId } from '../../host/machine-id.ts';
import type { BrokerMove } from '../../journal/broker-move.ts';
import { openJournal } from '../../journal/open-journal.ts';
import { ownerFor } from '../../state-dir/ownership.ts';
import { openStateDir } from '../../state-dir/state-dir.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { count } from '../count.ts';
import { checkReadable, requireJournal } from '../readable-state-dir.ts';

/** Records the owner's confirmation that unfinished jobs belong to the configured broker. Sends nothing. */
export const brokerMoved: CliCommand = {
  name: 'broker-moved',
  summary: 'confirm that unfinished jobs belong to the broker now at --broker-url',
  group: 'Set up',
  options: ['brokerUrl', 'stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    {
      line: 'broker-moved --broker-url https://new.example',
      does: 'before the agent starts with the new URL',
    },
  ],
  run: async (context) => {
    const { brokerUrl, stateDir } = (await context.loadConfig({ ask: false })).config;
    await checkReadable(stateDir);
    requireJournal(stateDir);
    const moves = move(context, brokerUrl, stateDir);
    context.stdout.write(
      context.has(JSON_SWITCH) ? `${JSON.stringify({ moves }, null, 2)}\n` : movesText(moves, brokerUrl),
    );
    return EXIT.OK;
  },
};

function move({ clock, uid }: CliContext, brokerUrl: string, stateDir: string): readonly BrokerMove[] {
  const moves: BrokerMove[] = [];
  using opened = new DisposableStack();
  const dir = opened.adopt(openStateDir(stateDir, ownerFor(stateDir, uid)), (one) => one.close());
  const about = {
    machine: machineId(),
    brokerMoved: true,
    onMoved: (one: BrokerMove): void => void moves.push(one),
  };
  opened.adopt(openJournal(dir, brokerUrl, clock, about), (one) => one.close());
  return moves;
}

function movesText(moves: readonly BrokerMove[], brokerUrl: string): string {
  if (moves.length === 0) return `all of this host already belongs to ${brokerUrl}\n`;
  return moves
    .map(
      ({ from, jobs, to }) =>
        `${jobs === 0 ? 'offers and books' : count(jobs, 'unfinished job')} of ${from} moved to ${to}\n`,
    )
    .join('');
}
