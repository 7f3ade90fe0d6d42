import type Docker from 'dockerode';
import { asAgentError } from '../../../domain/errors.ts';
import type { FoundContainer } from '../../../domain/ports/runtime.ts';
import { containerName, LABELS } from './spec.ts';
import { type ContainerState, hasEnded } from './state.ts';

/** A listed container; undefined if it is not ours, or has been removed since. Throws RUNTIME_*. */
export async function readListed(
  { Id: id, Labels: labels, Mounts: mounts, Names: names, State: status }: Docker.ContainerInfo,
  inspect: (id: string) => Promise<ContainerState>,
): Promise<FoundContainer | undefined> {
  const job = labels[LABELS.job];
  if (job === undefined) return undefined;
  // An image can set our labels, but neither the container's name nor its mounts; anyone can rename a container.
  const isNamed = names.includes(`/${containerName(job)}`);
  if (!isNamed && !mounts.some(({ Source }) => Source.split('/').includes(job))) return undefined;
  try {
    const { name, startedAt } = await inspect(id);
    return { id, job, state: name, startedAt };
  } catch (thrown) {
    if (asAgentError(thrown).code === 'CONTAINER_GONE') return undefined;
    // One stuck container must not hide all others.
    if (hasEnded(status)) return { id, job, state: 'exited', startedAt: undefined };
    throw thrown;
  }
}
