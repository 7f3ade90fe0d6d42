import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import {
  type JobsNetwork,
  NETWORK_NAME,
  type NetworkLook,
  networkSpec,
  readNetwork,
  smallSubnet,
} from './network-spec.ts';

/** The command that makes network and rules. */
export const UP = 'sudo sharedcloud-agent network up';

/** The network that the engine keeps for jobs; see network-spec.ts for what it has to be. */
export class DockerJobsNetwork {
  readonly #docker: Docker;
  readonly #deadlines: EngineDeadlines;

  constructor(docker: Docker, deadlines: EngineDeadlines) {
    this.#docker = docker;
    this.#deadlines = deadlines;
  }

  /** The network as it is; undefined: there is none. */
  async look(signal?: AbortSignal): Promise<NetworkLook | undefined> {
    const network = this.#docker.getNetwork(NETWORK_NAME);
    // It takes a signal, which the client's published types do not know.
    const asked: { inspect(options: { abortSignal: AbortSignal }): Promise<unknown> } = network;
    const call = { action: `inspect network ${NETWORK_NAME}`, ms: this.#deadlines.inspectMs, signal };
    return callEngine(call, async (abortSignal) => {
      try {
        return readNetwork(await asked.inspect({ abortSignal }));
      } catch (thrown) {
        if (readFault(thrown).status === 404) return undefined;
        throw engineError(thrown, call.action);
      }
    });
  }

  /** The network, if it is as it has to be. Throws NETWORK_NOT_READY. */
  async ready(signal?: AbortSignal): Promise<JobsNetwork> {
    const look = await this.look(signal);
    if (look?.network !== undefined) return look.network;
    const why =
      look === undefined ? 'is not there' : `is not as it has to be (${look.differences.join(', ')})`;
    throw new AgentError('NETWORK_NOT_READY', `Docker’s network ${NETWORK_NAME} ${why}`, { hint: UP });
  }

  /**
   * Makes the network, unless it is there and right. One that is larger than it has to be is made anew, unless
   * containers use it. Throws NETWORK_FAILED where another one is in its place that containers use, and where the
   * engine cannot make it.
   */
  async make(): Promise<JobsNetwork> {
    const look = await this.look();
    const kept = look?.network;
    if (kept !== undefined && (isSmall(kept) || look?.containers !== 0)) return kept;
    if (look !== undefined) await this.remove();
    const secret = randomBytes(16).toString('hex');
    await this.#create(networkSpec(secret));
    const made = await this.ready();
    if (isSmall(made)) return made;
    // The beginning of what the engine picked is as free as all of it.
    await this.remove();
    await this.#create(networkSpec(secret, smallSubnet(made.subnet)));
    return this.ready();
  }

  async #create(spec: object): Promise<void> {
    // The client's published type of the options is mutable; the spec is the type here.
    const maker: { createNetwork(options: object): Promise<unknown> } = this.#docker;
    await callEngine(
      { action: `make network ${NETWORK_NAME}`, ms: this.#deadlines.createMs },
      (abortSignal) => maker.createNetwork({ ...spec, abortSignal }),
      (thrown) => refused(`Docker could not make network ${NETWORK_NAME}`, thrown),
    );
  }

  /** Removes the network. Nothing to do where there is none. Throws NETWORK_FAILED where containers use it. */
  async remove(): Promise<void> {
    const look = await this.look();
    if (look === undefined) return;
    if (look.containers > 0)
      throw new AgentError('NETWORK_FAILED', `${look.containers} containers use network ${NETWORK_NAME}`, {
        hint: 'drain the agent first, so that its jobs end, then try again',
      });
    await callEngine(
      { action: `remove network ${NETWORK_NAME}`, ms: this.#deadlines.stopMs },
      (abortSignal) => this.#docker.getNetwork(NETWORK_NAME).remove({ abortSignal }),
      (thrown) => refused(`Docker could not remove network ${NETWORK_NAME}`, thrown),
    );
  }

  /** Watches the engine that answers now; `gone` settles when it has gone, or the signal aborts. */
  async watchEngine(signal: AbortSignal): Promise<{ readonly gone: Promise<void> }> {
    const call = { action: 'listen to Docker’s events', ms: this.#deadlines.inspectMs, signal };
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

function refused(what: string, thrown: unknown): AgentError {
  const error = engineError(thrown, 'ask Docker');
  if (error.code === 'RUNTIME_UNAVAILABLE') return error;
  return new AgentError('NETWORK_FAILED', `${what}: ${readFault(thrown).message}`, { cause: thrown });
}
