import { basename } from 'node:path/posix';
import type Docker from 'dockerode';
import { asAgentError } from '../../../domain/errors.ts';
import { JOB_INPUT_PATH } from '../../../domain/job-input.ts';
import type { FoundContainer } from '../../../domain/ports/runtime.ts';
import { CHECK_AGENT_ID, containerName, isJobId, LABELS } from './spec.ts';
import { type ContainerState, hasEnded } from './state.ts';

const NEIGHBOUR = /^\d{1,6}$/;

/** The names of the jobs of `check`: see `internalJobName`. */
const CHECK_JOB = /^(?:test|probe)-[0-9a-f]{1,12}$/;

/** A listed container; undefined if it is not ours, or has been removed since. Throws RUNTIME_*. */
export async function readListed(
  container: Docker.ContainerInfo,
  inspect: (id: string) => Promise<ContainerState>,
): Promise<FoundContainer | undefined> {
  const { Id: id, Labels: labels, State: status } = container;
  const job = labels[LABELS.job];
  if (job === undefined || !isJobContainer(container, job)) return undefined;
  const known = { id, job, ...neighbourOf(labels) };
  try {
    const { name, startedAt } = await inspect(id);
    return { ...known, state: name, startedAt };
  } catch (thrown) {
    const { code } = asAgentError(thrown);
    if (code === 'CONTAINER_GONE') return undefined;
    // One stuck container must not hide all others: the engine answers nothing about one while it starts or removes it.
    if (hasEnded(status)) return { ...known, state: 'exited', startedAt: undefined };
    if (code !== 'RUNTIME_UNAVAILABLE') throw thrown;
    return { ...known, state: status === 'created' ? 'created' : 'running', startedAt: undefined };
  }
}

/** An older agent's container has no such label, or an empty one that was its image's. */
function neighbourOf(labels: Docker.ContainerInfo['Labels']): Pick<FoundContainer, 'neighbour'> {
  const label = labels[LABELS.neighbour];
  return label !== undefined && NEIGHBOUR.test(label) ? { neighbour: Number(label) } : {};
}

/** An image can set our labels, but neither the container's name nor what is mounted where. Never throws. */
function isJobContainer({ Labels, Mounts, Names }: Docker.ContainerInfo, job: string): boolean {
  if (!isJobId(job)) return false;
  const isNamed = Names.includes(`/${containerName(job)}`);
  // Every image can know this id, so nothing but the name counts.
  if (Labels[LABELS.agent] === CHECK_AGENT_ID) return isNamed && CHECK_JOB.test(job);
  // Anyone can rename a container, but its input stays.
  const isInput = ({ Destination, Source, Type }: (typeof Mounts)[number]): boolean =>
    Type === 'bind' && Destination === JOB_INPUT_PATH && basename(Source) === job;
  return isNamed || Mounts.some(isInput);
}
