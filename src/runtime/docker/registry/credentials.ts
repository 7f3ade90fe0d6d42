import { join } from 'node:path';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { OncePerChange } from '../../../lib/once-per-change.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { askHelper } from './credential-helper.ts';
import { type DockerConfig, NO_CONFIG, type RegistryAuth, secretsOf } from './docker-config.ts';

export type RegistryCredentialsOptions = {
  /** The directory of Docker's `config.json`. */
  readonly directory: string;
  /** Called with each secret before it is used, so that no output shows it. `registry` is where it belongs. */
  readonly onSecret: (secret: string, registry: string) => void;
  /** Called with what cannot be used, once until it changes. Pulls go on without. */
  readonly onProblem: (problem: AgentError) => void;
};

/**
 * The credentials for registries that Docker's command line keeps for the agent's user. The file is read again after each
 * change; helpers are asked at each pull, since their answers expire.
 */
export class RegistryCredentials {
  readonly path: string;
  readonly #options: RegistryCredentialsOptions;
  readonly #problems = new OncePerChange();
  #file: ConfigFile | undefined;

  constructor(options: RegistryCredentialsOptions) {
    this.#options = options;
    this.path = join(options.directory, 'config.json');
  }

  /** The credentials of one registry; undefined: there are none. Throws nothing but the signal's reason. */
  async forRegistry(registry: string, signal: AbortSignal): Promise<RegistryAuth | undefined> {
    const { auths, helpers, store } = await this.#read();
    const helper = helpers.get(registry) ?? store;
    const asked = helper === undefined ? undefined : await this.#ask(helper, registry, signal);
    const auth = asked ?? auths.get(registry);
    for (const secret of auth === undefined ? [] : secretsOf(auth)) this.#options.onSecret(secret, registry);
    return auth;
  }

  async #ask(helper: string, registry: string, signal: AbortSignal): Promise<RegistryAuth | undefined> {
    try {
      const auth = await askHelper(helper, registry, signal);
      this.#problems.forget(helper);
      return auth;
    } catch (thrown) {
      signal.throwIfAborted();
      this.#report(helper, asAgentError(thrown));
      return undefined;
    }
  }

  async #read(): Promise<DockerConfig> {
    try {
      this.#file = await readConfigFile(this.path, this.#file);
      const [problem] = this.#file?.config.problems ?? [];
      if (problem === undefined) this.#problems.forget('');
      else this.#report('', new AgentError('REGISTRY_CREDENTIALS_UNUSABLE', `${this.path}: ${problem}`));
      return this.#file?.config ?? NO_CONFIG;
    } catch (thrown) {
      this.#file = undefined;
      this.#report('', asAgentError(thrown));
      return NO_CONFIG;
    }
  }

  #report(key: string, problem: AgentError): void {
    if (this.#problems.isNew(problem.message, key)) this.#options.onProblem(problem);
  }
}
