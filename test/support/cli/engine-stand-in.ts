import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpServer, json } from '../faults/server.ts';

const INFO = {
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'extfs']],
  SecurityOptions: ['name=seccomp,profile=default'],
  Runtimes: { runc: {}, nvidia: {} },
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  OSType: 'linux',
};
const VERSION = {
  Version: '28.1.0',
  ApiVersion: '1.49',
  Components: [{ Name: 'runc', Version: '1.2.8' }],
};

/** Something that says of itself what a Docker engine would, and knows some images; it runs nothing. */
export type EngineStandIn = AsyncDisposable & { readonly host: string };

/** Listens on a socket of its own. `info` changes what it says; `images` are those that it has. */
export async function engineStandIn(
  info: Readonly<Record<string, unknown>> = {},
  images: readonly string[] = [],
): Promise<EngineStandIn> {
  const dir = await mkdtemp(join(tmpdir(), 'engine-stand-in-'));
  const answers: Readonly<Record<string, unknown>> = {
    '/info': { ...INFO, ...info },
    '/version': VERSION,
    ...Object.fromEntries(images.map((name) => [`/images/${name}/json`, { Id: 'sha256:1', Size: 1 }])),
  };
  const server = await httpServer(
    ({ url }, response) => {
      const answer = answers[decodeURIComponent(url)];
      json(response, answer ?? { message: 'no such image' }, answer === undefined ? 404 : 200);
    },
    join(dir, 'docker.sock'),
  );
  return {
    host: server.dockerHost,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}
