import { AgentError } from '../../../domain/errors.ts';
import { LIMITS } from '../../../limits.ts';
import { volumesFault } from '../container/volumes.ts';
import type { ImageConfig } from './config.ts';

/** IMAGE_REFUSED for an image whose settings no container of a job may have; undefined: it may have them. Pure. */
export function settingsRefusal(
  ref: string,
  { envNames, labels, ports, volumes }: Pick<ImageConfig, 'envNames' | 'labels' | 'ports' | 'volumes'>,
): AgentError | undefined {
  const many = (count: number, what: string): string | undefined =>
    count > LIMITS.image.settings.max ? `${count} ${what}, which jobs may not have` : undefined;
  // The agent repeats names in each container, and Docker lists all containers in one answer.
  const long = (names: readonly string[], what: string): string | undefined =>
    sumOfBytes(names) > LIMITS.image.names.max ? `${what} with names that are too long for jobs` : undefined;
  const fault =
    volumesFault(volumes) ??
    many(envNames.length, 'environment variables') ??
    many(labels.length, 'labels') ??
    many(ports, 'ports') ??
    long(envNames, 'environment variables') ??
    long(labels, 'labels');
  return fault === undefined
    ? undefined
    : new AgentError('IMAGE_REFUSED', `image ${ref} declares ${fault}`, { hint: HINT });
}

/** IMAGE_REFUSED for an image whose description is too large. */
export function oversized(ref: string): AgentError {
  const why = `Docker’s description of image ${ref} has more than ${LIMITS.image.description.max} bytes`;
  return new AgentError('IMAGE_REFUSED', why, { hint: HINT });
}

function sumOfBytes(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + Buffer.byteLength(name), 0);
}

const HINT =
  'ignore it, unless the image is yours: then shorten its environment, labels, ports, volumes and history';
