import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { type ImagePlatform, imagePlatform, platformName, runsOn } from '../../../domain/image-platform.ts';
import { callEngine } from '../engine/call.ts';
import type { RegistryAuth } from '../registry/docker-config.ts';

/** What a registry says of an image through the engine. An image's attestations are listed as `unknown/unknown`. */
const DISTRIBUTION = z.object({
  Platforms: z
    .array(
      z.object({
        os: z.string().nullish(),
        architecture: z.string().nullish(),
        variant: z.string().nullish(),
      }),
    )
    .nullish(),
});

/** How long a registry may take to name the platforms of an image. The pull that follows has deadlines of its own. */
const ASK_MS = 15_000;

/** Throws IMAGE_PLATFORM if none of an image's platforms is the engine's. No platform at all: it is unknown. */
export function refuseForeign(ref: string, platforms: readonly ImagePlatform[], engine: ImagePlatform): void {
  if (platforms.length === 0 || platforms.some((platform) => runsOn(platform, engine))) return;
  const names = [...new Set(platforms.map(platformName))].slice(0, 8).join(', ');
  throw new AgentError(
    'IMAGE_PLATFORM',
    `image ${ref} is for ${names}, and Docker here is for ${platformName(engine)}`,
  );
}

/**
 * The platforms of an image in its registry, asked for through the engine, so with its mirrors, proxies and certificates.
 * Empty: the registry does not say. Never throws, except for an abort: the pull says what is wrong with a registry.
 */
export async function platformsInRegistry(
  docker: Docker,
  name: string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
): Promise<readonly ImagePlatform[]> {
  try {
    const call = { action: `ask for the platforms of image ${name}`, ms: ASK_MS, signal };
    const answer = await callEngine(call, (abortSignal) => askRegistry(docker, name, auth, abortSignal));
    const { Platforms } = DISTRIBUTION.parse(answer);
    return (Platforms ?? []).map(({ architecture, os, variant }) =>
      imagePlatform(os ?? '', architecture ?? '', variant ?? ''),
    );
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

/** dockerode's own call of this endpoint takes no signal. */
function askRegistry(
  docker: Docker,
  name: string,
  auth: RegistryAuth | undefined,
  abortSignal: AbortSignal,
): Promise<unknown> {
  const { promise, reject, resolve } = Promise.withResolvers<unknown>();
  const options = {
    path: `/distribution/${name}/json`,
    method: 'GET',
    statusCodes: { 200: true },
    authconfig: auth,
    abortSignal,
  };
  docker.modem.dial(options, (error: unknown, answer: unknown) =>
    error === null || error === undefined ? resolve(answer) : reject(error),
  );
  return promise;
}
