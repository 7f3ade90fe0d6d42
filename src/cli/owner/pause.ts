import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { answerText } from './answer.ts';
import { FOR, GPU_MINOR, GPUS, NOTE, TAG, UNTIL, UNTIL_NEXT } from './flags.ts';
import { give } from './give.ts';
import { pauseRequest } from './pause-request.ts';
import { reclaimNow, WITHIN, YES } from './reclaim.ts';

const NOW: Switch = {
  name: 'now',
  help: 'stop running jobs too, which are released unpaid: the same as `reclaim`',
};

function withNow(help: string): string {
  return `with --now: ${help}`;
}

/** No new jobs; those that run go on to their end. */
export const pause: CliCommand = {
  name: 'pause',
  summary: 'take no new jobs for a while; running jobs go on to their end and are paid',
  group: 'Control',
  operand: GPUS,
  options: ['stateDir', 'nvidiaSmi', 'nvidiaSmiTimeout', 'configFile'],
  switches: [UNTIL_NEXT, NOW, { ...YES, help: withNow(YES.help) }, JSON_SWITCH],
  values: [FOR, UNTIL, { ...WITHIN, help: withNow(WITHIN.help) }, NOTE, GPU_MINOR, TAG],
  examples: [
    { line: 'pause', does: 'everything, until `resume`; a restart or reboot changes nothing' },
    { line: 'pause 0 --for 2h --note "rendering"', does: 'the GPU with index 0' },
    { line: 'pause --now 1 --until 22:00', does: 'GPU 1, and stop the job that runs on it' },
  ],
  run: async (context) => (context.has(NOW) ? reclaimNow(context) : pauseOnly(context)),
};

async function pauseOnly(context: CliContext): Promise<number> {
  const { body, names, offline } = pauseRequest(context);
  const given = await give(context, { endpoint: ENDPOINTS.pause, body, names, offline });
  context.stdout.write(answerText(context, given));
  return EXIT.OK;
}
