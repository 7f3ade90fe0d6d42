import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { readGames } from '../../host/game-mode.ts';
import { askAgent, doesNotAnswer } from '../ask-agent.ts';
import type { CliCommand } from '../command.ts';
import { listenForInterruption } from '../interruption.ts';
import { reportGames } from './report-games.ts';

/** An agent that does not answer in so long is asked again with the next report, in milliseconds. */
const ANSWER_MS = 5_000;

/** Runs in the session of a user, whose bus no other user may read. */
export const desk: CliCommand = {
  name: 'desk',
  summary: 'report the games of your session to the running agent, until it is stopped',
  group: 'Run',
  options: ['stateDir', 'logLevel', 'logFormat', 'configFile'],
  switches: [],
  values: [],
  examples: [
    {
      line: 'desk',
      does: 'as the user who plays, in the group sharedcloud-agent',
    },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    const interruption = listenForInterruption();
    const report = async (games: number): Promise<void> => {
      const asked = await askAgent(context, config.stateDir, ENDPOINTS.desk, { body: { games } }, ANSWER_MS);
      if (asked.kind === 'none') throw new AgentError('AGENT_NOT_RUNNING', 'no agent runs on this host');
      if (asked.kind === 'silent') throw doesNotAnswer();
    };
    const { clock } = context;
    const log = context.createLog(config);
    await reportGames({ read: readGames, report, clock, log }, interruption.first);
    interruption.ignore();
    return EXIT.OK;
  },
};
