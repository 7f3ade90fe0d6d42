import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, JSON_SWITCH, type Operand } from '../command.ts';
import { answerText } from './answer.ts';
import { FOR, GPU_MINOR, lastingOf, UNTIL, UNTIL_NEXT } from './flags.ts';
import { endOf, give } from './give.ts';

const MODES = ['auto', 'on', 'off'] as const;

const OPERAND: Operand = {
  name: 'GPU',
  last: MODES.join('|'),
  help: 'GPUs as in `pause`, none: everything; and last the mode: `auto` (rules decide), `on` (whatever schedule and presence say) or `off` (no jobs)',
};

/** A standing decision about rules. */
export const mode: CliCommand = {
  name: 'mode',
  summary: 'let rules decide (auto), override them (on), or take no jobs at all (off)',
  group: 'Control',
  operand: OPERAND,
  options: ['stateDir', 'nvidiaSmi', 'nvidiaSmiTimeout', 'configFile'],
  switches: [UNTIL_NEXT, JSON_SWITCH],
  values: [FOR, UNTIL, GPU_MINOR],
  examples: [
    { line: 'mode 1 off', does: 'GPU 1 takes no jobs until this is set to auto again' },
    { line: 'mode on --for 8h', does: 'take jobs tonight although the schedule says no' },
    { line: 'mode auto', does: 'let schedule and presence decide again' },
  ],
  run: async (context) => {
    const wanted = MODES.find((name) => name === context.operands.at(-1));
    if (wanted === undefined)
      throw new AgentError('CONFIG_INVALID', `mode needs one of ${MODES.join(', ')} as its last word`, {
        hint: 'run sharedcloud-agent mode --help',
      });
    const lasting = lastingOf(context);
    const named = {
      targets: context.operands.slice(0, -1),
      minors: context.has(GPU_MINOR) ? [...context.valueOf(GPU_MINOR)] : [],
    };
    const given = await give(context, {
      endpoint: ENDPOINTS.mode,
      body: { ...named, ...lasting, mode: wanted },
      names: { names: named.targets, minors: named.minors },
      offline: (targets, nextChange) => ({
        kind: 'mode',
        targets,
        mode: wanted,
        end: endOf(lasting, nextChange),
      }),
    });
    context.stdout.write(answerText(context, given));
    return EXIT.OK;
  },
};
