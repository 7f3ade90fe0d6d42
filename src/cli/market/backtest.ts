import { count, price } from '../../config/number-types.ts';
import { list } from '../../config/value-type.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { LIMITS } from '../../limits.ts';
import { askRunningAgent } from '../ask-agent.ts';
import { type CliContext, JSON_SWITCH, type ValueFlag } from '../command.ts';
import { backtestJson, backtestText } from './render-backtest.ts';

const action = 'backtest';
/** A month of a large market takes some seconds, and another backtest may go first. */
const ANSWER_MS = 120_000;

export const ASK: ValueFlag<readonly number[]> = {
  name: 'ask',
  help: 'the asks to try, in US dollars per job and minute; by default some around the ask now',
  type: list(price),
  default: '',
  action,
};

export const DAYS: ValueFlag<number> = {
  name: 'days',
  help: 'how many days to replay, up to now',
  type: count(1, LIMITS.host.backtestDays.max),
  default: '7',
  action,
};

/** Asks the running agent, which knows its offers and their costs. Throws CONFIG_INVALID, AGENT_*, BACKTEST_*. */
export async function showBacktest(context: CliContext, stateDir: string): Promise<number> {
  const asks = context.valueOf(ASK);
  if (asks.length > LIMITS.host.backtestAsks.max)
    throw new AgentError('CONFIG_INVALID', `--ask takes up to ${LIMITS.host.backtestAsks.max} prices`, {
      hint: 'write fewer: a range and its middle say more than many prices',
    });
  const query = new URLSearchParams(asks.map((ask): [string, string] => ['ask', String(ask)]));
  query.set('days', String(context.valueOf(DAYS)));
  const answer = await askRunningAgent(
    context,
    stateDir,
    ENDPOINTS.backtest,
    { rest: `?${query.toString()}` },
    {
      more: ', and only a running one knows its offers, the broker’s GPUs and what power costs',
      hint: 'start it and ask again once it has offers: it answers while it is paused, too; `market history` needs no agent',
    },
    ANSWER_MS,
  );
  const { stdout } = context;
  stdout.write(context.has(JSON_SWITCH) ? backtestJson(answer) : backtestText(answer, stdout));
  return EXIT.OK;
}
