import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { type ImagePlatform, imagePlatform } from '../../../domain/image-platform.ts';

const INSPECTED = z.object({
  Id: z.string(),
  Size: z.int().nonnegative(),
  RepoDigests: z
    .array(z.string())
    .nullish()
    .transform((digests) => digests ?? []),
  Os: z.string().nullish(),
  Architecture: z.string().nullish(),
  Variant: z.string().nullish(),
  Config: z
    .object({
      Env: z.array(z.string()).nullish(),
      Labels: z.record(z.string(), z.unknown()).nullish(),
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
});

/** An image's names and size, and what its containers would inherit from it. */
export type ImageConfig = {
  readonly id: string;
  readonly sizeBytes: number;
  /** `repository@sha256:...`, one for each repository that it came from. */
  readonly digests: readonly string[];
  readonly platform: ImagePlatform;
  /** The names of its environment variables. */
  readonly envNames: readonly string[];
  /** The names of its labels. */
  readonly labels: readonly string[];
  /** The paths of its volumes. */
  readonly volumes: readonly string[];
  /** How many ports it declares, which Docker lists for each running container. */
  readonly ports: number;
};

/** Reads the engine's description of an image. Throws RUNTIME_FAILED if it is malformed. */
export function readImage(answer: unknown): ImageConfig {
  const read = INSPECTED.safeParse(answer);
  if (!read.success) {
    throw new AgentError('RUNTIME_FAILED', 'Docker’s description of an image is malformed', {
      cause: read.error,
    });
  }
  const { Architecture, Config, Id, Os, RepoDigests, Size, Variant } = read.data;
  return {
    id: Id,
    sizeBytes: Size,
    digests: RepoDigests,
    platform: imagePlatform(Os ?? '', Architecture ?? '', Variant ?? ''),
    envNames: (Config?.Env ?? []).map((entry) => entry.split('=', 1)[0] ?? ''),
    labels: Object.keys(Config?.Labels ?? {}),
    volumes: Object.keys(Config?.Volumes ?? {}),
    ports: Object.keys(Config?.ExposedPorts ?? {}).length,
  };
}

const HISTORY = z.array(z.object({ Size: z.int().nonnegative() }));

/** The sum of the layers in the engine's history of an image. Throws RUNTIME_FAILED if it is malformed. */
export function layerBytes(answer: unknown): number {
  const read = HISTORY.safeParse(answer);
  if (!read.success)
    throw new AgentError('RUNTIME_FAILED', 'Docker’s history of an image is malformed', {
      cause: read.error,
    });
  return read.data.reduce((sum, { Size }) => sum + Size, 0);
}
