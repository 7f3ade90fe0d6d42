import { z } from 'zod';
import { duration } from '../../config/duration.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { askAgent, doesNotAnswer } from '../ask-agent.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { answerText, unattendedText } from './answer.ts';
import { FOR, GPU_MINOR, GPUS, NOTE, TAG, UNTIL, UNTIL_NEXT } from './flags.ts';
import { give } from './give.ts';
import { pauseRequest } from './pause-request.ts';
import { costText, reclaimText } from './render.ts';

/** Beyond the time that jobs have: the engine removes them, and the GPUs' memory is waited for. */
const REST_MS = 120_000;

export const YES: Switch = { name: 'yes', help: 'do not ask before jobs are stopped' };

export const WITHIN: ValueFlag<number> = {
  name: 'within',
  help: 'how long stopped jobs have between SIGTERM and SIGKILL',
  type: duration('0s', '10m'),
  default: '3s',
};

/** The owner's GPUs, now. */
export const reclaim: CliCommand = {
  name: 'reclaim',
  summary:
    'take back now: stop jobs unpaid, and wait until the GPUs’ memory is free; without a name everything: GPUs and CPU jobs',
  group: 'Control',
  operand: GPUS,
  options: ['stateDir', 'nvidiaSmi', 'nvidiaSmiTimeout', 'configFile'],
  switches: [UNTIL_NEXT, YES, JSON_SWITCH],
  values: [FOR, UNTIL, WITHIN, NOTE, GPU_MINOR, TAG],
  examples: [
    { line: 'reclaim', does: 'everything, GPUs and CPU jobs, until `resume`' },
    { line: 'reclaim 0 --for 3h', does: 'the GPU with index 0 for an evening' },
    { line: 'reclaim --yes --gpu-minor 0,1 --tag slurm:42', does: 'from a script of a scheduler' },
  ],
  run: (context) => reclaimNow(context),
};

/** Takes GPUs back. Exit code 1: memory is still in use, jobs still run, or no agent runs that could end them. */
export async function reclaimNow(context: CliContext): Promise<number> {
  const { body, named, names, offline } = pauseRequest(context);
  const confirmed = await askOwner(context, named);
  if (confirmed === undefined) {
    context.stderr.write('nothing was changed\n');
    return EXIT.FAILED;
  }
  const withinMs = context.valueOf(WITHIN);
  const given = await give(context, {
    endpoint: ENDPOINTS.reclaim,
    body: { ...body, withinMs, confirmed },
    names,
    offline,
    ms: withinMs + REST_MS,
  });
  if ('offline' in given) {
    context.stdout.write(answerText(context, given));
    if (given.offline.unattended === 0) return EXIT.OK;
    context.stderr.write(unattendedText(given.offline));
    return EXIT.FAILED;
  }
  const { answer } = given;
  context.stdout.write(
    context.has(JSON_SWITCH)
      ? `${JSON.stringify({ agentRunning: true, ...z.encode(ENDPOINTS.reclaim.answer, answer) }, null, 2)}\n`
      : reclaimText(answer, context.clock.now()),
  );
  const isBack = answer.left.length === 0 && answer.gpus.every(({ state }) => state !== 'in-use');
  return isBack ? EXIT.OK : EXIT.FAILED;
}

/**
 * Says what it costs, and asks. Answers the jobs that were agreed to, true for all with `--yes`, false where no job was seen;
 * undefined: the owner said no. Throws NOT_CONFIRMED where jobs run and nobody can be asked, AGENT_OUT_OF_REACH.
 */
async function askOwner(
  context: CliContext,
  named: { readonly targets: readonly string[]; readonly minors: readonly number[] },
): Promise<boolean | string[] | undefined> {
  if (context.has(YES)) return true;
  const { stateDir } = (await context.loadConfig({ ask: false })).config;
  const body = { targets: [...named.targets], minors: [...named.minors] };
  const asked = await askAgent(context, stateDir, ENDPOINTS.preview, { body });
  if (asked.kind === 'none') return false;
  if (asked.kind !== 'answer') throw doesNotAnswer();
  const { jobs } = asked.answer;
  if (jobs.length === 0) return false;
  const cost = costText(jobs, context.clock.now());
  const said = await context.confirm(`${cost}\nStop now?`);
  if (said !== undefined) return said ? jobs.map(({ job }) => job) : undefined;
  throw new AgentError('NOT_CONFIRMED', `jobs would be stopped unpaid: ${cost}`, {
    hint: 'add --yes to stop them without being asked, or use `pause`, which lets them end',
  });
}
