import { z } from 'zod';
import { ANSWERS, type CommandAnswer } from '../../control-api/protocol.ts';
import { type CliContext, JSON_SWITCH } from '../command.ts';
import { count } from '../count.ts';
import { targetsText } from './render.ts';
import type { Offline } from './without-agent.ts';

/** What a command has done, for people or with --json. */
export function answerText(
  { clock, has }: CliContext,
  given: { readonly answer: CommandAnswer } | { readonly offline: Offline },
): string {
  const running = 'answer' in given;
  const { changed, targets } = running ? given.answer : plain(given.offline);
  if (has(JSON_SWITCH))
    return `${JSON.stringify({ agentRunning: running, ...z.encode(ANSWERS.command, { changed, targets }) }, null, 2)}\n`;
  const lines = changed ? '' : 'nothing changed: it was so before\n';
  const later = running ? '' : 'no agent is running: its next start obeys\n';
  return `${lines}${targetsText(targets, clock.now())}${later}`;
}

/** What is still to be said where no agent runs: jobs in their containers have nobody who ends them. */
export function unattendedText({ unattended }: Offline): string {
  return `${count(unattended, 'job')} of the stopped agent may still run: start the agent, and then repeat this\n`;
}

/** The same shape as the running agent's answer. */
export function plain({ changed, targets }: Offline): CommandAnswer {
  return {
    changed,
    targets: targets.map(({ hold, mode, name, target }) => ({
      target,
      name,
      mode,
      hold:
        hold === undefined
          ? null
          : { kind: hold.kind, why: hold.why, until: hold.until ?? null, hint: hold.hint ?? null },
    })),
  };
}
