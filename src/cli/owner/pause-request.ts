import type { OwnerCommand, Targets } from '../../domain/owner-command.ts';
import type { CliContext } from '../command.ts';
import { lastingOf, NOTE, TAG, targetsOf } from './flags.ts';
import { endOf } from './give.ts';

/** A pause as its flags say it: for the running agent, and for the journal where none runs. Throws CONFIG_INVALID, TIME_INVALID. */
export function pauseRequest(context: CliContext) {
  const { has, valueOf } = context;
  const lasting = lastingOf(context);
  const named = targetsOf(context);
  const note = has(NOTE) ? valueOf(NOTE) : undefined;
  const tag = has(TAG) ? valueOf(TAG) : '';
  return {
    named,
    body: { ...named, ...lasting, note, tag },
    names: { names: named.targets, minors: named.minors },
    offline: (targets: Targets, nextChange: () => number): OwnerCommand => ({
      kind: 'pause',
      targets,
      end: endOf(lasting, nextChange),
      note,
      tag,
    }),
  };
}
