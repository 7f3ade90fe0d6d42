import type { CredentialsInspection } from '../../runtime/docker/registry/inspection.ts';
import { count } from '../count.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fromError, ok, warn } from './check-result.ts';

const CHECK = 'registries';
const MAX_SHOWN = 10;

/** The registries that there are credentials for, by name, and what is wrong with the credentials. */
export function checkRegistries(answer: QueryResult<CredentialsInspection>): CheckResult {
  if ('error' in answer) return fromError(CHECK, answer.error, 'warn');
  const { exists, isPublic, missing, path, problems } = answer.value;
  if (!exists)
    return ok(CHECK, `no credentials, so public images only${path === undefined ? '' : ` (no ${path})`}`);
  const found = credentialsOf(answer.value);
  if (isPublic) return warn(CHECK, `${found}; every user can read the passwords`, `chmod o= ${path}`);
  const [program] = missing;
  if (program !== undefined)
    return warn(
      CHECK,
      `${found}; ${program} is not installed`,
      `install ${program} on the PATH of the agent, or remove it from ${path}`,
    );
  const [problem] = problems;
  if (problem !== undefined)
    return warn(CHECK, `${found}; ${problem}`, `correct ${path}, or log in again: docker login REGISTRY`);
  return ok(CHECK, found);
}

function credentialsOf({ path, registries, store }: CredentialsInspection): string {
  const more = registries.length - MAX_SHOWN;
  const names = [
    ...registries.slice(0, MAX_SHOWN),
    ...(more > 0 ? [count(more, 'other')] : []),
    ...(store === undefined ? [] : [`all that ${store} knows`]),
  ];
  return names.length === 0
    ? `no credentials in ${path}`
    : `credentials for ${names.join(', ')} from ${path}`;
}
