import { z } from 'zod';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { STATUS, type Status } from '../../control-api/status-schema.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { findAgent } from '../../state-dir/running-agent.ts';
import { askAgent, doesNotAnswer, noSocket } from '../ask-agent.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { statusText } from './render.ts';
import { statusWithoutAgent } from './without-agent.ts';

/** The agent answers from memory and from its journal. */
const ANSWER_MS = 10_000;

/** One screen. */
export const status: CliCommand = {
  name: 'status',
  summary: 'show on one screen what this host does, why it takes no jobs, and what it earns',
  group: 'Look',
  options: ['stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    { line: 'status', does: 'exit code 0 where an agent runs, 1 where none does' },
    { line: 'status --json', does: 'the same for programs, as `GET /api/status` answers it' },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    const seen = await readStatus(context, config.stateDir);
    const { stdout } = context;
    stdout.write(
      context.has(JSON_SWITCH)
        ? `${JSON.stringify(z.encode(STATUS, seen), null, 2)}\n`
        : statusText(seen, stdout),
    );
    return seen.agent === null ? EXIT.FAILED : EXIT.OK;
  },
};

/** The status of the running agent, or what the journal says where none runs. Throws AGENT_OUT_OF_REACH, STATE_DIR_UNUSABLE. */
export async function readStatus(context: CliContext, stateDir: string): Promise<Status> {
  const asked = await askAgent(context, stateDir, ENDPOINTS.status, {}, ANSWER_MS);
  if (asked.kind === 'answer') return asked.answer;
  if (asked.kind === 'silent') throw doesNotAnswer();
  if (findAgent(stateDir).kind !== 'none') throw noSocket(stateDir);
  return statusWithoutAgent(stateDir, context.clock);
}
