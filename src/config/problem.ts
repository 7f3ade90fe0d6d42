import { AgentError } from '../domain/errors.ts';

/** A problem of the configuration: the option with its source, what is wrong, and a hint. */
export type Problem = { readonly where: string; readonly what: string; readonly hint: string };

/** All problems as one error. `notes` may explain them, such as a variable with a misspelled name. */
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
  return new AgentError('CONFIG_INVALID', lines.join('\n'), { hint: 'correct all of them' });
}
