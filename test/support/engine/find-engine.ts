import { access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import { z } from 'zod';
import { connectEngine, parseDockerHost } from '../../../src/runtime/docker/engine/connection.ts';

/** An engine that the tests may use. */
export type TestEngine = {
  /** As `--docker-host` takes it. */
  readonly host: string;
  readonly docker: Docker;
  /** Where `up.sh` keeps what its GPU stand-in was given; undefined at any other engine. */
  readonly standInDir: string | undefined;
};

/** Either an engine with the test images at hand, or why there is none. */
export type Finding = { readonly engine: TestEngine } | { readonly missing: string };

/** Where the images are that `images.sh` pushes. */
export const REGISTRY = 'localhost:5000';
export const BUSYBOX = `${REGISTRY}/sharedcloud/busybox:latest`;
export const PYTHON = `${REGISTRY}/sharedcloud/python36:latest`;
export const NODE = `${REGISTRY}/sharedcloud/node8:latest`;

const INFO = z.object({ DockerRootDir: z.string(), OSType: z.string() });

/** Looks for an engine: DOCKER_HOST, else the default socket, else the one of `up.sh`. */
export async function findEngine(environment: NodeJS.ProcessEnv): Promise<Finding> {
  const own = environment['SHAREDCLOUD_ENGINE_DIR'] ?? join(tmpdir(), 'sharedcloud-agent-engine');
  const named = environment['DOCKER_HOST'];
  const hosts = named === undefined ? ['unix:///var/run/docker.sock', `unix://${own}/docker.sock`] : [named];
  for (const host of hosts) {
    const engine = await tryEngine(host);
    if (engine === undefined) continue;
    if (await hasImage(engine.docker)) return { engine };
    return { missing: `the engine at ${host} has no ${BUSYBOX}: run test/support/engine/images.sh` };
  }
  return { missing: `no Docker engine answers at ${hosts.join(' or ')}: run test/support/engine/up.sh` };
}

async function tryEngine(host: string): Promise<TestEngine | undefined> {
  try {
    const docker = connectEngine(parseDockerHost(host));
    const info = INFO.parse(await docker.info());
    if (info.OSType !== 'linux') return undefined;
    const dir = dirname(info.DockerRootDir);
    return { host, docker, standInDir: (await exists(join(dir, 'gpu-hook'))) ? dir : undefined };
  } catch {
    // Whatever the reason, this one is not to be had; the caller names all that were tried.
    return undefined;
  }
}

/** Whether the image is here, after pulling it if the local registry has it. */
async function hasImage(docker: Docker): Promise<boolean> {
  try {
    await docker.getImage(BUSYBOX).inspect();
    return true;
  } catch {
    return pull(docker, BUSYBOX);
  }
}

/** Pulls an image; answers whether that went well. */
async function pull(docker: Docker, ref: string): Promise<boolean> {
  try {
    const stream = await docker.pull(ref);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error) => (error === null ? resolve() : reject(error)));
    });
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
