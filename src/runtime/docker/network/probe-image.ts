import type Docker from 'dockerode';
import { z } from 'zod';
import { imageAllowed } from '../../../domain/image-ref.ts';
import { callEngine } from '../engine/call.ts';

/** Looks at no more images than that: each costs a call. */
const MOST = 20;
const LISTED = z.array(z.object({ RepoTags: z.array(z.string()).nullish() }));
const INSPECTED = z.object({ Config: z.object({ Cmd: z.array(z.string()).nullish() }).nullish() });

/** An image that is here and runs functions: its name, and a platform's word for its language. */
export type ProbeImage = { readonly id: string; readonly runtime: 'python' | 'node' };

/** An image that the owner allows, is here, and says by its command which language it runs; undefined: none. */
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
  for (const id of tags.filter((tag) => imageAllowed(tag, allowed)).slice(0, MOST)) {
    const made = await callEngine({ action: `inspect image ${id}`, ms, signal }, () =>
      docker.getImage(id).inspect(),
    );
    const command = (INSPECTED.parse(made).Config?.Cmd ?? []).join(' ');
    if (!command.includes('$CODE')) continue;
    const language = (['python', 'node'] as const).find((name) => command.includes(name));
    if (language !== undefined) return { id, runtime: language };
  }
  return undefined;
}
