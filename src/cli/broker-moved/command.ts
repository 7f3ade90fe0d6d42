import { EXIT } from '../../domain/exit-codes.ts';
import type { BrokerMove } from '../../journal/broker-move.ts';
import { openJournal, readJournal } from '../../journal/open-journal.ts';
import { openStateDir } from '../../state-dir/state-dir.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { count } from '../count.ts';
import { checkReadable, nothingHere } from '../readable-state-dir.ts';

/** The owner's word that the broker of the open jobs is the one that is set now. Repricer nobody, sends nothing. */
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
    checkThere(stateDir);
    const moves = move(context, brokerUrl, stateDir);
    context.stdout.write(
      context.has(JSON_SWITCH) ? `${JSON.stringify({ moves }, null, 2)}\n` : inWords(moves, brokerUrl),
    );
    return EXIT.OK;
  },
};

/** Nothing is made where nothing is: most likely another state directory is meant. */
function checkThere(stateDir: string): void {
  const journal = readJournal(stateDir);
  if (journal === undefined) throw nothingHere(`there is no journal in ${stateDir}`);
  journal.close();
}

function move({ clock }: CliContext, brokerUrl: string, stateDir: string): readonly BrokerMove[] {
  const moves: BrokerMove[] = [];
  using held = new DisposableStack();
  const dir = held.adopt(openStateDir(stateDir), (one) => one.close());
  const about = { brokerMoved: true, onMoved: (one: BrokerMove): void => void moves.push(one) };
  held.adopt(openJournal(dir, brokerUrl, clock, about), (one) => one.close());
  return moves;
}

function inWords(moves: readonly BrokerMove[], brokerUrl: string): string {
  if (moves.length === 0) return `no unfinished job belongs to another broker than ${brokerUrl}\n`;
  return moves
    .map(({ from, jobs, to }) => `${count(jobs, 'unfinished job')} of ${from} went over to ${to}\n`)
    .join('');
}
