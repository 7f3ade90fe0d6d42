import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, JSON_SWITCH } from '../command.ts';
import { answerText } from './answer.ts';
import { GPU_MINOR, GPUS, TAG, targetsOf } from './flags.ts';
import { give } from './give.ts';

/** Ends pauses. */
export const resume: CliCommand = {
  name: 'resume',
  summary: 'end pauses, so that new jobs are taken again; a mode stays as it is',
  group: 'Control',
  operand: GPUS,
  options: ['stateDir', 'nvidiaSmi', 'nvidiaSmiTimeout', 'configFile'],
  switches: [JSON_SWITCH],
  values: [GPU_MINOR, TAG],
  examples: [
    { line: 'resume', does: 'end all pauses' },
    { line: 'resume 0', does: 'of the GPU with index 0; the others stay paused' },
    { line: 'resume --gpu-minor 0,1 --tag slurm:42', does: 'only the pause with this tag' },
  ],
  run: async (context) => {
    const named = targetsOf(context);
    const tag = context.has(TAG) ? context.valueOf(TAG) : undefined;
    const given = await give(context, {
      endpoint: ENDPOINTS.resume,
      body: { ...named, tag },
      names: { names: named.targets, minors: named.minors },
      offline: (targets) => ({ kind: 'resume', targets, tag }),
    });
    context.stdout.write(answerText(context, given));
    return EXIT.OK;
  },
};
