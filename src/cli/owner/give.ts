import type { z } from 'zod';
import type { Endpoint } from '../../control-api/endpoints.ts';
import type { TargetNames } from '../../domain/name-targets.ts';
import type { OwnerCommand, Targets } from '../../domain/owner-command.ts';
import type { End } from '../../domain/owner-decisions.ts';
import { askAgent } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { askOrCarryOut } from './agent-or-journal.ts';
import { commandWithoutAgent, type Offline } from './without-agent.ts';

/** A command for the running agent, and the same for the journal where none runs. */
export type Command<Request extends z.ZodType, Answer extends z.ZodType> = {
  readonly endpoint: Endpoint<Request, Answer>;
  readonly body: z.input<Request>;
  readonly names: TargetNames;
  /** `nextChange` answers the next change of the schedule for the targets. */
  readonly offline: (targets: Targets, nextChange: () => number) => OwnerCommand;
  readonly ms?: number;
};

/** Gives a command to the running agent, or writes it for the next start. Throws what either throws. */
export async function give<Request extends z.ZodType, Answer extends z.ZodType>(
  context: CliContext,
  { body, endpoint, ms, names, offline }: Command<Request, Answer>,
): Promise<{ readonly answer: z.infer<Answer> } | { readonly offline: Offline }> {
  const { config } = await context.loadConfig({ ask: false });
  return askOrCarryOut(
    config.stateDir,
    () => askAgent(context, config.stateDir, endpoint, { body }, ms),
    () => commandWithoutAgent(context, config, names, offline),
  );
}

/** The end as the journal keeps it. Throws as `nextChange` does, which is asked where it is needed. */
export function endOf(
  lasting: { forMs?: number; until?: string; untilNext?: true },
  nextChange: () => number,
): End | undefined {
  if (lasting.forMs !== undefined) return { kind: 'after', ms: lasting.forMs };
  if (lasting.until !== undefined) return { kind: 'at', at: Date.parse(lasting.until) };
  return lasting.untilNext === undefined ? undefined : { kind: 'at', at: nextChange() };
}
