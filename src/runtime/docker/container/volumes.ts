import { posix } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { JOB_INPUT_PATH } from '../../../domain/job-input.ts';

const MAX_VOLUMES = 32;
const MAX_TMPFS_BYTES = 256 * 1024 * 1024;

/**
 * A size-limited tmpfs in place of each volume of an image, because a volume is unlimited and outlives its container.
 * Together they get at most a quarter of the job's memory. Throws IMAGE_REFUSED for a volume over a system path.
 */
export function tmpfsForVolumes(
  volumes: readonly string[],
  memoryBytes: number,
): Readonly<Record<string, string>> {
  const paths = [...new Set(volumes.map((path) => posix.normalize(path).replace(/(.)\/$/, '$1')))].filter(
    (path) => path !== JOB_INPUT_PATH,
  );
  const bad = paths.find((path) => !path.startsWith('/') || coversSystemPath(path));
  if (bad !== undefined || paths.length > MAX_VOLUMES) {
    const what = bad === undefined ? `${paths.length} volumes` : `a volume at ${JSON.stringify(bad)}`;
    throw new AgentError('IMAGE_REFUSED', `the image declares ${what}, which jobs may not have`);
  }
  const size = Math.min(MAX_TMPFS_BYTES, Math.floor(memoryBytes / 4 / Math.max(paths.length, 1)));
  return Object.fromEntries(paths.map((path) => [path, `rw,nosuid,nodev,mode=1777,size=${size}`]));
}

function coversSystemPath(path: string): boolean {
  return ['/proc', '/sys', '/dev', JOB_INPUT_PATH].some(
    (taken) => path === '/' || path === taken || path.startsWith(`${taken}/`) || taken.startsWith(`${path}/`),
  );
}
