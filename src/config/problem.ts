import { AgentError } from '../domain/errors.ts';

/** One thing that is wrong with the configuration: the option and where it was set, what is wrong, what to do. */
export type Problem = { readonly where: string; readonly what: string; readonly hint: string };

/**
 * All problems as the one error that the owner sees, so that none has to be found after another. `notes` are what
 * may have led to them, such as a variable with a slip in its name.
 */
export function configInvalid(problems: readonly Problem[], notes: readonly string[] = []): AgentError {
  const [first, ...more] = problems;
  if (first !== undefined && more.length + notes.length === 0)
    return new AgentError('CONFIG_INVALID', `${first.where}: ${first.what}`, { hint: first.hint });
  const count = problems.length === 1 ? '1 setting' : `${problems.length} settings`;
  const lines = [
    `${count} cannot be used:`,
    ...problems.flatMap(({ where, what, hint }) => [`  ${where}: ${what}`, `    ${hint}`]),
    ...notes.map((note) => `  also: ${note}`),
  ];
  return new AgentError('CONFIG_INVALID', lines.join('\n'), { hint: 'correct each of them and start again' });
}
