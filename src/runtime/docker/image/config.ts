import { posix } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { JOB_INPUT_PATH } from '../../../domain/job-input.ts';

const INSPECTED = z.object({
  Id: z.string(),
  Size: z.number(),
  RepoDigests: z
    .array(z.string())
    .nullish()
    .transform((digests) => digests ?? []),
  Config: z
    .object({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.unknown()).nullish(),
      Volumes: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

/** What an image brings that the container must be guarded against, and how to name it. */
export type ImageConfig = {
  readonly id: string;
  readonly sizeBytes: number;
  /** `repository@sha256:...`, one per repository that it came from. */
  readonly digests: readonly string[];
  /** The names of the environment variables that it sets. */
  readonly envNames: readonly string[];
  /** The names of the labels that it has, which its containers would have too. */
  readonly labels: readonly string[];
  /** Where it wants volumes, as absolute paths. */
  readonly volumes: readonly string[];
};

/** Reads the engine's answer about an image. Throws RUNTIME_FAILED where it has no such shape. */
export function readImage(answer: unknown): ImageConfig {
  const read = INSPECTED.safeParse(answer);
  if (!read.success) {
    throw new AgentError('RUNTIME_FAILED', 'Docker described an image in a way that cannot be used', {
      cause: read.error,
    });
  }
  const { Id, Size, RepoDigests, Config } = read.data;
  return {
    id: Id,
    sizeBytes: Size,
    digests: RepoDigests,
    envNames: (Config?.Env ?? []).map((entry) => entry.split('=', 1)[0] ?? ''),
    labels: Object.keys(Config?.Labels ?? {}),
    volumes: Object.keys(Config?.Volumes ?? {}),
  };
}

const MOST_VOLUMES = 32;
const MOST_TMPFS_BYTES = 256 * 1024 * 1024;

/**
 * A size-limited tmpfs for each volume of an image, so that none becomes a real one: those are writable without
 * a limit and stay behind. Together they get at most a quarter of the job's memory.
 * Throws IMAGE_REFUSED for volumes that would cover what the container itself needs.
 */
export function tmpfsForVolumes(
  volumes: readonly string[],
  memoryBytes: number,
): Readonly<Record<string, string>> {
  const paths = [...new Set(volumes.map((path) => posix.normalize(path).replace(/(.)\/$/, '$1')))].filter(
    (path) => path !== JOB_INPUT_PATH,
  );
  const bad = paths.find((path) => !path.startsWith('/') || coversTheContainer(path));
  if (bad !== undefined || paths.length > MOST_VOLUMES) {
    const why = bad === undefined ? `${paths.length} volumes` : `a volume at ${JSON.stringify(bad)}`;
    throw new AgentError('IMAGE_REFUSED', `the image declares ${why}, which no job needs`);
  }
  const size = Math.min(MOST_TMPFS_BYTES, Math.floor(memoryBytes / 4 / Math.max(paths.length, 1)));
  return Object.fromEntries(paths.map((path) => [path, `rw,nosuid,nodev,mode=1777,size=${size}`]));
}

function coversTheContainer(path: string): boolean {
  return ['/proc', '/sys', '/dev', JOB_INPUT_PATH].some(
    (taken) => path === '/' || path === taken || path.startsWith(`${taken}/`) || taken.startsWith(`${path}/`),
  );
}
