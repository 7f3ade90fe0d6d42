import type Docker from 'dockerode';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { createError } from '../engine/errors.ts';
import { containerDifferences } from './check.ts';
import type { ContainerSpec } from './spec.ts';
import { removeContainer } from './stop.ts';

/**
 * Makes the container, looks at what the engine made of it, and answers its id only if that is what was asked.
 * Throws RUNTIME_REFUSED after removing one that is not, and what `createError` tells.
 */
export async function createChecked(
  docker: Docker,
  spec: ContainerSpec,
  imageId: string,
  swapLimit: boolean,
  deadlines: EngineDeadlines,
): Promise<string> {
  // The client's published type of the options is mutable and older than the engine's; the spec is the type here.
  const maker: { createContainer(options: object): Promise<{ readonly id: string }> } = docker;
  const look = (id: string): Promise<Docker.ContainerInspectInfo> =>
    callEngine({ doing: `inspect container ${spec.name}`, ms: deadlines.lookMs }, (abortSignal) =>
      docker.getContainer(id).inspect({ abortSignal }),
    );
  const made = await callEngine(
    { doing: `create container ${spec.name}`, ms: deadlines.makeMs },
    (abortSignal) => maker.createContainer({ ...spec, abortSignal }),
    (thrown) => createError(thrown, spec.name, spec.Image),
  ).then(
    ({ id }) => look(id),
    (thrown: unknown) => madeAllTheSame(asAgentError(thrown), () => look(spec.name)),
  );
  const { Id: id } = made;
  const differences = containerDifferences(spec, made, imageId, swapLimit);
  if (differences.length === 0) return id;
  await removeContainer(docker, id, deadlines);
  throw new AgentError(
    'RUNTIME_REFUSED',
    `Docker made container ${spec.name} otherwise than asked: ${differences.join(', ')}`,
    { hint: 'look for plugins or defaults in Docker’s daemon.json that change containers' },
  );
}

/**
 * The container whose creation was not answered, where it was made all the same; throws `error` where it was not. One
 * that has been started is not it.
 */
async function madeAllTheSame(
  error: AgentError,
  look: () => Promise<Docker.ContainerInspectInfo>,
): Promise<Docker.ContainerInspectInfo> {
  if (error.code !== 'RUNTIME_UNAVAILABLE') throw error;
  try {
    const made = await look();
    if (made.State.Status === 'created') return made;
  } catch {
    // It is not there, or the engine is away: what went wrong first says more.
  }
  throw error;
}
