import type Docker from 'dockerode';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { bodyOnly } from '../engine/body-only.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { createError } from '../engine/errors.ts';
import { containerDifferences } from './check.ts';
import type { ContainerSpec } from './spec.ts';
import { removeContainer } from './stop.ts';

/**
 * Creates a container, compares it with its spec and returns its id. Removes one that differs and throws
 * RUNTIME_REFUSED. Throws the errors of `createError` if the engine does not create it.
 */
export async function createContainer(
  docker: Docker,
  spec: ContainerSpec,
  imageId: string,
  swapLimit: boolean,
  deadlines: EngineDeadlines,
): Promise<string> {
  const { name, ...body } = spec;
  // dockerode's type of these options is mutable and older than the engine's API.
  const client: { createContainer(options: object): Promise<{ readonly id: string }> } = docker;
  const inspect = (idOrName: string): Promise<Docker.ContainerInspectInfo> =>
    callEngine({ action: `inspect container ${name}`, ms: deadlines.inspectMs }, (abortSignal) =>
      docker.getContainer(idOrName).inspect({ abortSignal }),
    );
  const created = await callEngine(
    { action: `create container ${name}`, ms: deadlines.createMs },
    (abortSignal) => client.createContainer(bodyOnly(body, { name }, abortSignal)),
    (thrown) => createError(thrown, name, spec.Image),
  ).then(
    ({ id }) => inspect(id),
    (thrown: unknown) => findCreated(asAgentError(thrown), () => inspect(name)),
  );
  const { Id: id } = created;
  const differences = containerDifferences(spec, created, imageId, swapLimit);
  if (differences.length === 0) return id;
  await removeContainer(docker, id, deadlines);
  throw new AgentError(
    'RUNTIME_REFUSED',
    `Docker created container ${name} with other settings than requested: ${differences.join(', ')}`,
    { hint: 'remove plugins or defaults in Docker’s daemon.json that change containers' },
  );
}

/** Finds a container that the engine created although its answer was lost. Otherwise throws `error`. */
async function findCreated(
  error: AgentError,
  inspect: () => Promise<Docker.ContainerInspectInfo>,
): Promise<Docker.ContainerInspectInfo> {
  if (error.code !== 'RUNTIME_UNAVAILABLE') throw error;
  try {
    const found = await inspect();
    if (found.State.Status === 'created') return found;
  } catch {
    // The container does not exist or the engine is unreachable: the first error says more.
  }
  throw error;
}
