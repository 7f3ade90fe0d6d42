import type { Loaded } from '../../../src/config/config.ts';
import { loadConfig, type Sources } from '../../../src/config/load.ts';
import { type AgentError, asAgentError } from '../../../src/domain/errors.ts';

/** What a test gives the loader; by default no ask is needed. */
export type Given = {
  readonly flags?: Sources['flags'];
  readonly env?: Sources['env'];
  /** Texts of files by path; a path that is not here is absent. */
  readonly files?: Readonly<Record<string, string>>;
  readonly needsAsk?: boolean;
  /** Whether it is for a command that calls the broker for long. */
  readonly ownWarnings?: true;
};

export const DEFAULT_FILE = '/etc/sharedcloud-agent/config.toml';

export async function load(given: Given = {}): Promise<Loaded> {
  const { flags = {}, env = {}, files = {}, needsAsk = false, ownWarnings } = given;
  const needs = { ask: needsAsk, ...(ownWarnings !== undefined && { ownWarnings }) };
  return await loadConfig({ flags, env, readFile: async (path) => files[path] }, needs);
}

/** The error that loading throws; fails if it throws none. */
export async function loadError(given: Given): Promise<AgentError> {
  try {
    await load(given);
  } catch (thrown) {
    return asAgentError(thrown);
  }
  throw new Error('loading was expected to fail');
}
