import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfigFile } from './config-file.ts';
import { helperProgram } from './credential-helper.ts';

/** What `check` shows of the credentials for registries. Without secrets. */
export type CredentialsInspection = {
  /** The file; undefined: the user has no home directory, and so no file. */
  readonly path: string | undefined;
  readonly exists: boolean;
  /** The registries that it names. */
  readonly registries: readonly string[];
  /** The program that has the credentials of all other registries. */
  readonly store: string | undefined;
  /** The programs that it names and that are not on PATH. */
  readonly missing: readonly string[];
  /** The entries that cannot be used, and why. */
  readonly problems: readonly string[];
  /** Whether every user of this host can read the file. */
  readonly isPublic: boolean;
};

/** Reads the file and asks no helper. `path`: where programs are looked up. Throws REGISTRY_CREDENTIALS_UNUSABLE. */
export async function inspectCredentials(
  directory: string | undefined,
  path: string,
): Promise<CredentialsInspection> {
  const file = directory === undefined ? undefined : join(directory, 'config.json');
  const read = file === undefined ? undefined : await readConfigFile(file);
  const { auths, helpers, problems = [], store } = read?.config ?? {};
  const programs = [...new Set([...(helpers?.values() ?? []), ...(store === undefined ? [] : [store])])];
  const found = await Promise.all(programs.map((name) => isProgram(helperProgram(name), path)));
  return {
    path: file,
    exists: read !== undefined,
    registries: [...new Set([...(auths?.keys() ?? []), ...(helpers?.keys() ?? [])])].toSorted(),
    store: store === undefined ? undefined : helperProgram(store),
    missing: programs.filter((_, index) => found[index] !== true).map(helperProgram),
    problems,
    isPublic: read?.isPublic ?? false,
  };
}

async function isProgram(name: string, path: string): Promise<boolean> {
  const tries = path.split(':').map(async (directory) => {
    await access(join(directory || '.', name), constants.X_OK);
    return true;
  });
  return Promise.any([Promise.reject(new Error('not found')), ...tries]).catch(() => false);
}
