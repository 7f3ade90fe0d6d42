import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { canonicalImageRef, parseImageRef } from '../../../domain/image-ref.ts';
import { callEngine } from '../engine/call.ts';

const NAMES = z
  .array(z.string())
  .nullish()
  .transform((names) => names ?? []);

const LISTED = z.array(
  z.object({
    Id: z.string(),
    ParentId: z.string().nullish(),
    RepoTags: NAMES,
    RepoDigests: NAMES,
    Size: z.int().nonnegative(),
  }),
);

/** An image in the engine's list. */
export type ListedImage = {
  readonly id: string;
  /** The image that it was built from on this host; undefined: none, or it was pulled. */
  readonly parentId: string | undefined;
  /** Canonical references: tags, and digests of repositories. */
  readonly names: readonly string[];
  readonly sizeBytes: number;
};

/** Which images, and the deadline in milliseconds. */
export type ListCall = {
  /** Whether to list steps of builds as well. */
  readonly all: boolean;
  readonly ms: number;
  readonly signal: AbortSignal;
};

/** The engine's images. Throws RUNTIME_*, or the signal's reason. */
export async function listImages(
  docker: Docker,
  { all, ms, signal }: ListCall,
): Promise<readonly ListedImage[]> {
  const answer: unknown = await callEngine({ action: 'list images', ms, signal }, (abortSignal) =>
    docker.listImages({ all, abortSignal }),
  );
  const read = LISTED.safeParse(answer);
  if (!read.success)
    throw new AgentError('RUNTIME_FAILED', 'Docker’s list of images is malformed', { cause: read.error });
  return read.data.map(({ Id, ParentId, RepoDigests, RepoTags, Size }) => ({
    id: Id,
    parentId: ParentId ?? undefined,
    names: namesOf([...RepoTags, ...RepoDigests]),
    sizeBytes: Size,
  }));
}

/** Without `<none>:<none>` and its like. A name in unknown words stays as it is, because somebody gave it. */
function namesOf(names: readonly string[]): readonly string[] {
  const given = names.filter((name) => !name.includes('<none>'));
  const canonical = given.map((name) => {
    const ref = parseImageRef(name);
    return ref === undefined ? name : canonicalImageRef(ref);
  });
  return [...new Set(canonical)];
}
