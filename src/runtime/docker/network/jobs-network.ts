import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { bodyOnly } from '../engine/body-only.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import {
  type JobsNetwork,
  NETWORK_NAME,
  type NetworkState,
  networkSpec,
  readNetwork,
  smallSubnet,
} from './network-spec.ts';

/** The command that creates the network and its rules. */
export const UP = 'sudo sharedcloud-agent network up';

/** The jobs' network in the engine. */
export class DockerJobsNetwork {
  readonly #docker: Docker;
  readonly #deadlines: EngineDeadlines;

  constructor(docker: Docker, deadlines: EngineDeadlines) {
    this.#docker = docker;
    this.#deadlines = deadlines;
  }

  /** The network's state; undefined if it does not exist. */
  async inspect(signal?: AbortSignal): Promise<NetworkState | undefined> {
    // dockerode's type does not know the signal.
    const network: { inspect(options: { abortSignal: AbortSignal }): Promise<unknown> } =
      this.#docker.getNetwork(NETWORK_NAME);
    const call = { action: `inspect network ${NETWORK_NAME}`, ms: this.#deadlines.inspectMs, signal };
    return callEngine(call, async (abortSignal) => {
      try {
        return readNetwork(await network.inspect({ abortSignal }));
      } catch (thrown) {
        if (readFault(thrown).status === 404) return undefined;
        throw engineError(thrown, call.action);
      }
    });
  }

  /** The network. Throws NETWORK_NOT_READY if it is missing or misconfigured. */
  async requireReady(signal?: AbortSignal): Promise<JobsNetwork> {
    const state = await this.inspect(signal);
    if (state?.network !== undefined) return state.network;
    const why = state === undefined ? 'is missing' : `is misconfigured (${state.differences.join(', ')})`;
    throw new AgentError('NETWORK_NOT_READY', `Docker’s network ${NETWORK_NAME} ${why}`, { hint: UP });
  }

  /**
   * Creates the network, unless it exists and is right. Replaces one that is misconfigured or too large; a too large one
   * stays while containers use it. Throws NETWORK_FAILED if containers use a misconfigured one, or the engine fails.
   */
  async ensure(): Promise<JobsNetwork> {
    const state = await this.inspect();
    const existing = state?.network;
    if (existing !== undefined && (isSmall(existing) || state?.containers !== 0)) return existing;
    if (state !== undefined) await this.remove();
    const secret = randomBytes(16).toString('hex');
    await this.#create(networkSpec(secret));
    const created = await this.requireReady();
    if (isSmall(created)) return created;
    // The engine picks a free subnet, so its first part is free too.
    await this.remove();
    await this.#create(networkSpec(secret, smallSubnet(created.subnet)));
    return this.requireReady();
  }

  async #create(spec: object): Promise<void> {
    // dockerode's type of these options is mutable.
    const client: { createNetwork(options: object): Promise<unknown> } = this.#docker;
    await callEngine(
      { action: `create network ${NETWORK_NAME}`, ms: this.#deadlines.createMs },
      (abortSignal) => client.createNetwork(bodyOnly(spec, {}, abortSignal)),
      (thrown) => networkError(`Docker could not create network ${NETWORK_NAME}`, thrown),
    );
  }

  /** Removes the network. Does nothing if it does not exist. Throws NETWORK_FAILED if containers use it. */
  async remove(): Promise<void> {
    const state = await this.inspect();
    if (state === undefined) return;
    if (state.containers > 0)
      throw new AgentError('NETWORK_FAILED', `${state.containers} containers use network ${NETWORK_NAME}`, {
        hint: 'run sharedcloud-agent drain, then try again',
      });
    await callEngine(
      { action: `remove network ${NETWORK_NAME}`, ms: this.#deadlines.stopMs },
      (abortSignal) => this.#docker.getNetwork(NETWORK_NAME).remove({ abortSignal }),
      (thrown) => networkError(`Docker could not remove network ${NETWORK_NAME}`, thrown),
    );
  }

  /** Watches the engine that answers now: `gone` settles when that engine stops or the signal aborts. */
  async watchEngine(signal: AbortSignal): Promise<{ readonly gone: Promise<void> }> {
    const call = { action: 'follow Docker’s events', ms: this.#deadlines.inspectMs, signal };
    const filters = JSON.stringify({ type: ['daemon'] });
    const events = await callEngine(call, (deadline) =>
      this.#docker.getEvents({ filters, abortSignal: AbortSignal.any([signal, deadline]) }),
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const end of ['end', 'close', 'error'] as const) events.once(end, () => resolve());
    events.resume();
    return { gone: promise };
  }
}

const isSmall = ({ subnet }: JobsNetwork): boolean => smallSubnet(subnet) === subnet;

function networkError(what: string, thrown: unknown): AgentError {
  const error = engineError(thrown, 'reach Docker');
  if (error.code === 'RUNTIME_UNAVAILABLE') return error;
  return new AgentError('NETWORK_FAILED', `${what}: ${readFault(thrown).message}`, { cause: thrown });
}
