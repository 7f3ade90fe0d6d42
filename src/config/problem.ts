import { AgentError } from '../domain/errors.ts';

/** One thing that is wrong with the configuration: the option and where it was set, what is wrong, what to do. */
export type Problem = { readonly where: string; readonly what: string; readonly mend: string };

/** All problems as the one error that the owner sees, so that none has to be found after another. */
export function configInvalid(problems: readonly Problem[]): AgentError {
  const [first, ...more] = problems;
  if (first !== undefined && more.length === 0)
    return new AgentError('CONFIG_INVALID', `${first.where}: ${first.what}`, { mend: first.mend });
  const lines = problems.map(({ where, what, mend }) => `\n  ${where}: ${what}\n    ${mend}`);
  return new AgentError('CONFIG_INVALID', `${problems.length} settings cannot be used:${lines.join('')}`, {
    mend: 'correct each of them and start again',
  });
}
