import type Docker from 'dockerode';
import { z } from 'zod';
import { imageAllowed } from '../../../domain/image-ref.ts';
import { callEngine } from '../engine/call.ts';

/** Each image costs a call to the engine. */
const MAX_INSPECTED = 20;
const LISTED = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }));
const INSPECTED = z.object({ Config: z.object({ Cmd: z.array(z.string()).nullish() }).nullish() });

/** A local image that runs functions, and its language. */
export type ProbeImage = { readonly id: string; readonly runtime: 'python' | 'node' };

/** Finds a local image that the owner allows and whose command shows its language; undefined if there is none. */
export async function findProbeImage(
  docker: Docker,
  allowed: readonly string[],
  ms: number,
  signal: AbortSignal,
): Promise<ProbeImage | undefined> {
  const listed = await callEngine({ action: 'list images', ms, signal }, (abortSignal) =>
    docker.listImages({ abortSignal }),
  );
  const tags = LISTED.parse(listed).flatMap(({ RepoTags }) => RepoTags ?? []);
  for (const id of tags.filter((tag) => imageAllowed(tag, allowed)).slice(0, MAX_INSPECTED)) {
    const inspected = await callEngine({ action: `inspect image ${id}`, ms, signal }, () =>
      docker.getImage(id).inspect(),
    );
    const command = (INSPECTED.parse(inspected).Config?.Cmd ?? []).join(' ');
    if (!command.includes('$CODE')) continue;
    const language = (['python', 'node'] as const).find((name) => command.includes(name));
    if (language !== undefined) return { id, runtime: language };
  }
  return undefined;
}
