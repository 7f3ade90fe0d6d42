import { posix } from 'node:path';
import { AgentError } from '../../../domain/errors.ts';
import { JOB_INPUT_PATH } from '../../../domain/job-input.ts';
import { LIMITS } from '../../../limits.ts';

const MAX_TMPFS_BYTES = 256 * 1024 * 1024;
const SHOWN_LENGTH = 200;

/** Where the kernel's file systems, the job's input and Docker's init are mounted. */
const SYSTEM_PATHS = ['/proc', '/sys', '/dev', JOB_INPUT_PATH, '/sbin/docker-init'];

/**
 * A size-limited tmpfs in place of each volume of an image, because a volume is unlimited and outlives its container.
 * Together they get at most a quarter of the job's memory. Throws IMAGE_REFUSED for a volume over a system path.
 */
export function tmpfsForVolumes(
  volumes: readonly string[],
  memoryBytes: number,
): Readonly<Record<string, string>> {
  const fault = volumesFault(volumes);
  if (fault !== undefined) throw new AgentError('IMAGE_REFUSED', `the image declares ${fault}`);
  const paths = pathsOf(volumes);
  const size = Math.min(MAX_TMPFS_BYTES, Math.floor(memoryBytes / 4 / Math.max(paths.length, 1)));
  return Object.fromEntries(paths.map((path) => [path, `rw,nosuid,nodev,mode=1777,size=${size}`]));
}

/** Why no container may have these volumes, such as `a volume at "/proc"...`; undefined: it may. */
export function volumesFault(volumes: readonly string[]): string | undefined {
  if (volumes.length > LIMITS.image.volumes.max) return `${volumes.length} volumes, which jobs may not have`;
  const bad = pathsOf(volumes).find(
    (path) => !path.startsWith('/') || path.length > LIMITS.image.volumePath.max || coversSystemPath(path),
  );
  if (bad === undefined) return undefined;
  return `a volume at ${JSON.stringify(bad.slice(0, SHOWN_LENGTH))}, which jobs may not have`;
}

function pathsOf(volumes: readonly string[]): readonly string[] {
  const paths = volumes.map((path) => posix.normalize(path).replace(/(.)\/$/, '$1'));
  return [...new Set(paths)].filter((path) => path !== JOB_INPUT_PATH);
}

function coversSystemPath(path: string): boolean {
  return SYSTEM_PATHS.some(
    (taken) => path === '/' || path === taken || path.startsWith(`${taken}/`) || taken.startsWith(`${path}/`),
  );
}
